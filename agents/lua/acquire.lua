-- Take ownership of a partition and answer everything that is known about it.
-- KEYS own st al out wm (day)*   ARGV gen uuid lease_s instance('' = dynamic) waiting(1|0) inputs(number of wm keys)
-- Refused while a younger generation, or another member of the same one, holds an unexpired lease.
local now, gen = tonumber(redis.call('TIME')[1]), tonumber(ARGV[1])
local o = redis.call('HMGET', KEYS[1], 'gen', 'uuid', 'exp', 'inst', 'n', 'starts', 'start_wm', 'probe', 'skip')
local same = o[2] == ARGV[2] or (ARGV[4] ~= '' and o[4] == ARGV[4])
if o[1] and tonumber(o[3]) > now and (tonumber(o[1]) > gen or (tonumber(o[1]) == gen and not same)) then
  return {'HELD', o[1], tonumber(o[3]) - now}
end
local inputs, marks = tonumber(ARGV[6]), {}
for i = 1, inputs do marks[i] = redis.call('GET', KEYS[4 + i]) or '-1' end
-- Starts at the same watermark with input waiting: the third is suspicious (a record may kill the process).
local starts = 0
if ARGV[5] == '1' then
  starts = 1
  if o[7] == marks[1] then starts = tonumber(o[6] or '0') + 1 end
end
-- A record noted before it was processed and still noted now killed its process.
local skip = o[9] or ''
if o[8] then
  if skip == '' then skip = o[8] else skip = skip .. ',' .. o[8] end
  redis.call('HDEL', KEYS[1], 'probe')
end
redis.call('HSET', KEYS[1], 'gen', ARGV[1], 'uuid', ARGV[2], 'exp', now + tonumber(ARGV[3]), 'inst', ARGV[4],
  'starts', starts, 'start_wm', marks[1], 'skip', skip)
local days = {}
for i = 5 + inputs, #KEYS do days[#days + 1] = redis.call('HGETALL', KEYS[i]) end
return {'OK', marks, o[5] or '0', starts, skip, redis.call('HGETALL', KEYS[2]), redis.call('HGETALL', KEYS[3]), days}
