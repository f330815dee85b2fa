-- Drop what has been published and read what comes next.
-- KEYS own out   ARGV gen uuid lease_s minid('' = drop nothing) count floor
-- `floor` is the greatest sequence number seen on the topic: after a cold start numbering goes on from there. A Redis that
-- lost its last seconds still has a number, and the same events get the same numbers again: that is how the relay knows them.
local own = redis.call('HMGET', KEYS[1], 'gen', 'uuid', 'seq')
if own[1] ~= ARGV[1] or own[2] ~= ARGV[2] then return {'FENCED', own[1] or ''} end
if not own[3] and tonumber(ARGV[6]) > 0 then redis.call('HSET', KEYS[1], 'seq', ARGV[6]) end
if ARGV[4] ~= '' then redis.call('XTRIM', KEYS[2], 'MINID', ARGV[4]) end
return {'OK', redis.call('XLEN', KEYS[2]), redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', ARGV[5])}
