-- Renew the lease and note fields in the owner record (an empty value deletes the field).
-- KEYS own   ARGV gen uuid lease_s (field value)*
local own = redis.call('HMGET', KEYS[1], 'gen', 'uuid')
if own[1] ~= ARGV[1] or own[2] ~= ARGV[2] then return {'FENCED', own[1] or ''} end
redis.call('HSET', KEYS[1], 'exp', tonumber(redis.call('TIME')[1]) + tonumber(ARGV[3]))
for i = 4, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[1], ARGV[i]) else redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
return {'OK'}
