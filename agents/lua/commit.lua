-- One commit: fence, state, watermark and outbox, all or nothing, and harmless when repeated.
-- KEYS own wm st al out (day)*   ARGV gen uuid lease_s number expected last skip blobs (key field blob)* (event_id value)*
-- `number` counts the commits of the partition: it tells a repeat (answer lost) from a Redis that has lost data.
local own = redis.call('HMGET', KEYS[1], 'gen', 'uuid', 'n')
if own[1] ~= ARGV[1] or own[2] ~= ARGV[2] then return {'FENCED', own[1] or ''} end
local n, number = tonumber(own[3] or '0'), tonumber(ARGV[4])
if n == number then return {'OK', redis.call('XLEN', KEYS[5])} end
local wm = redis.call('GET', KEYS[2]) or '-1'
if n ~= number - 1 or wm ~= ARGV[5] then return {'MOVED', wm} end
local i = 9
for _ = 1, tonumber(ARGV[8]) do
  local key = KEYS[tonumber(ARGV[i])]
  if ARGV[i + 2] == '' then redis.call('HDEL', key, ARGV[i + 1]) else redis.call('HSET', key, ARGV[i + 1], ARGV[i + 2]) end
  i = i + 3
end
while i <= #ARGV do
  local seq = redis.call('HINCRBY', KEYS[1], 'seq', 1)
  redis.call('XADD', KEYS[5], '*', 'seq', seq, 'id', ARGV[i], 'v', ARGV[i + 1])
  i = i + 2
end
if ARGV[6] ~= wm then
  redis.call('SET', KEYS[2], ARGV[6])
  redis.call('HDEL', KEYS[1], 'starts', 'probe', 'crash')
end
redis.call('HSET', KEYS[1], 'n', ARGV[4], 'skip', ARGV[7], 'exp', tonumber(redis.call('TIME')[1]) + tonumber(ARGV[3]))
return {'OK', redis.call('XLEN', KEYS[5])}
