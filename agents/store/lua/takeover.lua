-- What a person decides about a partition that stands refused: every step of it, or none when something else stands there by now.
-- KEYS own st al out (wm)* (day)*   ARGV refused drop(1|0) (wm value mark)*   wm: place in KEYS; value '-1' removes it; mark: its field
-- `drop` forgets the state and the alerts; daily facts, the outbox and its numbers stay.
if redis.call('HGET', KEYS[1], 'refused') ~= ARGV[1] then return {'MOVED'} end
redis.call('HDEL', KEYS[1], 'refused', 'uuid', 'starts', 'start_wm', 'probe', 'suspect', 'skip', 'crash')
redis.call('HSET', KEYS[1], 'exp', '0')
if ARGV[2] == '1' then redis.call('DEL', KEYS[2], KEYS[3]) end
for i = 3, #ARGV, 3 do
  local key = KEYS[tonumber(ARGV[i])]
  if ARGV[i + 1] == '-1' then redis.call('DEL', key) else redis.call('SET', key, ARGV[i + 1]) end
  redis.call('HDEL', KEYS[1], ARGV[i + 2])
end
return {'OK'}
