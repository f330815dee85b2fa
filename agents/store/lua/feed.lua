-- Take or renew the place of the one feed that publishes, with what it tells of itself; an empty value gives it up.
-- Answers what another one has told that holds it, or nothing.
-- KEYS place   ARGV token seconds value
local held = redis.call('HMGET', KEYS[1], 'token', 'until', 'value')
local now = tonumber(redis.call('TIME')[1])
local ours = held[1] == ARGV[1]
if held[1] and not ours and tonumber(held[2] or '0') > now then return held[3] or '' end
if ARGV[3] ~= '' then
  redis.call('HSET', KEYS[1], 'token', ARGV[1], 'until', now + tonumber(ARGV[2]), 'value', ARGV[3])
elseif ours then
  redis.call('HDEL', KEYS[1], 'token', 'until', 'value')
end
return false
