-- One commit: fence, state, watermarks and outbox, all or nothing, and harmless when repeated.
-- KEYS own st al out (wm)* (day)*
-- ARGV gen uuid lease_s number skip steps (wm expected last)* marks (field mark)* blobs (key field blob)* (event_id value)*
-- wm, key: places in KEYS. A mark says which record of which log the watermark is.
-- `number` counts the commits of the partition: it tells a repeat (answer lost) from a Redis that has lost data.
local own = redis.call('HMGET', KEYS[1], 'gen', 'uuid', 'n')
if own[1] ~= ARGV[1] or own[2] ~= ARGV[2] then return {'FENCED', own[1] or ''} end
local n, number = tonumber(own[3] or '0'), tonumber(ARGV[4])
if n == number then return {'OK', redis.call('XLEN', KEYS[4])} end
if n ~= number - 1 then return {'MOVED', 'commit ' .. n} end
local steps, i = tonumber(ARGV[6]), 7
for s = 0, steps - 1 do
  local wm = redis.call('GET', KEYS[tonumber(ARGV[i + 3 * s])]) or '-1'
  if wm ~= ARGV[i + 3 * s + 1] then return {'MOVED', wm} end
end
for _ = 1, steps do
  if ARGV[i + 2] ~= ARGV[i + 1] then
    redis.call('SET', KEYS[tonumber(ARGV[i])], ARGV[i + 2])
    redis.call('HDEL', KEYS[1], 'probe', 'suspect', 'crash')
  end
  i = i + 3
end
local marks = tonumber(ARGV[i])
i = i + 1
for _ = 1, marks do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  i = i + 2
end
local blobs = tonumber(ARGV[i])
i = i + 1
for _ = 1, blobs do
  local key = KEYS[tonumber(ARGV[i])]
  if ARGV[i + 2] == '' then redis.call('HDEL', key, ARGV[i + 1]) else redis.call('HSET', key, ARGV[i + 1], ARGV[i + 2]) end
  i = i + 3
end
while i <= #ARGV do
  local seq = redis.call('HINCRBY', KEYS[1], 'seq', 1)
  redis.call('XADD', KEYS[4], '*', 'seq', seq, 'id', ARGV[i], 'v', ARGV[i + 1])
  i = i + 2
end
redis.call('HSET', KEYS[1], 'n', ARGV[4], 'skip', ARGV[5], 'exp', tonumber(redis.call('TIME')[1]) + tonumber(ARGV[3]))
return {'OK', redis.call('XLEN', KEYS[4])}
