-- Drop what has been published and read what comes next.
-- KEYS own out   ARGV gen uuid lease_s minid('' = drop nothing) count floor
-- `floor` is the greatest sequence number seen on the topic: numbering goes on from there where Redis knows a smaller one, after
-- a cold start or with a Redis that was set back. So a number is given once, and says how far back a relay has to read.
local own = redis.call('HMGET', KEYS[1], 'gen', 'uuid', 'seq')
if own[1] ~= ARGV[1] or own[2] ~= ARGV[2] then return {'FENCED', own[1] or ''} end
local newest = own[3] or '0'
if tonumber(ARGV[6]) > tonumber(newest) then
  newest = ARGV[6]
  redis.call('HSET', KEYS[1], 'seq', newest)
end
if ARGV[4] ~= '' then redis.call('XTRIM', KEYS[2], 'MINID', ARGV[4]) end
return {'OK', redis.call('XLEN', KEYS[2]), redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', ARGV[5]), newest}
