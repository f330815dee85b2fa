-- Take ownership of a partition and answer everything that is known about it.
-- KEYS own st al out (wm)* (day)*   ARGV gen uuid lease_s instance('' = dynamic) waiting(a digit 1|0 for each wm) mark(field of each wm)*
-- Nobody owns what stands refused: a person decides where it goes on. Refused too while a younger generation, or another member of the same one, holds an unexpired lease.
local function parts(text)
  local list = {}
  for part in string.gmatch(text or '', '[^,]+') do list[#list + 1] = part end
  return list
end
local now, gen = tonumber(redis.call('TIME')[1]), tonumber(ARGV[1])
local o = redis.call('HMGET', KEYS[1], 'gen', 'uuid', 'exp', 'inst', 'n', 'starts', 'start_wm', 'probe', 'skip', 'suspect', 'refused')
if o[11] then return {'REFUSED', o[11]} end
local same = o[2] == ARGV[2] or (ARGV[4] ~= '' and o[4] == ARGV[4])
if o[1] and tonumber(o[3]) > now and (tonumber(o[1]) > gen or (tonumber(o[1]) == gen and not same)) then
  return {'HELD', o[1], tonumber(o[3]) - now}
end
-- Starts at the same watermark with input waiting, by input: the second is suspicious (a record may kill the process).
local inputs, marks, starts = #ARGV[5], {}, {}
local counted, marked = parts(o[6] or ''), parts(o[7] or '')
for i = 1, inputs do
  marks[i], starts[i] = redis.call('GET', KEYS[4 + i]) or '-1', 0
  if string.sub(ARGV[5], i, i) == '1' then
    starts[i] = 1
    if marked[i] == marks[i] then starts[i] = tonumber(counted[i] or '0') + 1 end
  end
end
-- A record noted before it was processed and still noted now was alone when its process died; twice, and it is the culprit.
-- Once may be anybody's kill -9, and a process that takes the partition back has not died at all.
local skip = o[9] or ''
if o[8] and o[2] ~= ARGV[2] and o[8] == o[10] then
  if skip == '' then skip = o[8] else skip = skip .. ',' .. o[8] end
  redis.call('HDEL', KEYS[1], 'suspect')
elseif o[8] and o[2] ~= ARGV[2] then
  redis.call('HSET', KEYS[1], 'suspect', o[8])
end
if o[8] then redis.call('HDEL', KEYS[1], 'probe') end
redis.call('HSET', KEYS[1], 'gen', ARGV[1], 'uuid', ARGV[2], 'exp', now + tonumber(ARGV[3]), 'inst', ARGV[4],
  'starts', table.concat(starts, ','), 'start_wm', table.concat(marks, ','), 'skip', skip)
local days, logs = {}, {}
for i = 1, inputs do logs[i] = redis.call('HGET', KEYS[1], ARGV[5 + i]) or '' end
for i = 5 + inputs, #KEYS do days[#days + 1] = redis.call('HGETALL', KEYS[i]) end
return {'OK', marks, o[5] or '0', starts, skip, redis.call('HGETALL', KEYS[2]), redis.call('HGETALL', KEYS[3]), days, logs}
