//! What has to happen at once, so that no job is lost or doubled on its way from list to list.

use crate::script::Script;

/// Moves a job from a consumer's list to where it belongs. Does nothing when it is not there any more:
/// somebody else has moved it. Where it belongs may be of another type or forbidden, and what a script has
/// done stays done: then the job goes back.
const MOVE: &str = "
local due = ARGV[3] == 'delayed' and tonumber(redis.call('TIME')[1]) + tonumber(ARGV[4])
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 0 then return 0 end
local put = 0
if ARGV[3] == 'delayed' then
    put = redis.pcall('ZADD', KEYS[2], due, ARGV[2])
elseif ARGV[3] == 'first' then
    put = redis.pcall('RPUSH', KEYS[2], ARGV[2])
elseif ARGV[3] == 'last' then
    put = redis.pcall('LPUSH', KEYS[2], ARGV[2])
end
if type(put) == 'number' then return 1 end
redis.call('RPUSH', KEYS[1], ARGV[1])
return put";

/// Sends a job that is due later, by the clock of the server.
const DELAY: &str = "
return redis.call('ZADD', KEYS[1], tonumber(redis.call('TIME')[1]) + tonumber(ARGV[2]), ARGV[1])";

/// Gives a job to a consumer. Unlike `LMOVE`, it does so where there is no memory left: a script that has
/// begun with a write that needs none may go on.
const FETCH: &str = "
local job = redis.call('RPOP', KEYS[1])
if not job then return job end
local put = redis.pcall('LPUSH', KEYS[2], job)
if type(put) == 'number' then return job end
redis.call('RPUSH', KEYS[1], job)
return put";

/// Says that a consumer is there, moves what is due, and tells who is not there any more. Begins with a
/// write that needs no memory. What cannot be put where it is due has failed, and if even that cannot be
/// said, it is tried again in a minute.
const TICK: &str = "
redis.call('EXPIRE', KEYS[4], ARGV[5])
redis.call('SET', KEYS[4], '1', 'EX', ARGV[5])
redis.call('HSET', KEYS[3], ARGV[3], ARGV[4])
local now = redis.call('TIME')[1]
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[6])
for _, package in ipairs(due) do
    redis.call('ZREM', KEYS[1], package)
    local read, job = pcall(cjson.decode, package)
    local queue = read and type(job) == 'table' and job['queue']
    local put
    if type(queue) == 'string' or type(queue) == 'number' then
        put = redis.pcall('LPUSH', ARGV[1] .. tostring(queue), package)
    end
    if type(put) ~= 'number' then put = redis.pcall('LPUSH', KEYS[2], package) end
    if type(put) ~= 'number' then redis.call('ZADD', KEYS[1], now + 60, package) end
end
local gone = {}
local consumers = redis.call('HGETALL', KEYS[3])
for place = 1, #consumers, 2 do
    if redis.call('EXISTS', ARGV[2] .. consumers[place]) == 0 then
        gone[#gone + 1] = consumers[place]
    end
end
return {#due, redis.call('LLEN', KEYS[5]), gone}";

/// Puts back what a consumer leaves behind, the oldest first in line, and forgets the consumer. Begins with
/// a write that needs no memory.
const LEAVE: &str = "
redis.call('DEL', KEYS[3])
local left = 0
while redis.call('LMOVE', KEYS[1], KEYS[2], 'LEFT', 'RIGHT') do left = left + 1 end
redis.call('HDEL', KEYS[4], ARGV[1])
return left";

/// Forgets a consumer that is gone, once nothing of it is left.
const FORGET: &str = "
if redis.call('EXISTS', KEYS[1]) == 0 and redis.call('LLEN', KEYS[2]) == 0 then
    return redis.call('HDEL', KEYS[3], ARGV[1])
end
return 0";

/// Counts what waits, is delayed, has failed, and is with the consumers of a queue.
const COUNT: &str = "
local under_way = 0
local consumers = redis.call('HGETALL', KEYS[4])
for place = 1, #consumers, 2 do
    if consumers[place + 1] == ARGV[2] then
        under_way = under_way + redis.call('LLEN', ARGV[1] .. consumers[place])
    end
end
return {redis.call('LLEN', KEYS[1]), redis.call('ZCARD', KEYS[2]), redis.call('LLEN', KEYS[3]), under_way}";

/// The scripts of a queue.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) transfer: Script,
    pub(super) delay: Script,
    pub(super) fetch: Script,
    pub(super) tick: Script,
    pub(super) leave: Script,
    pub(super) forget: Script,
    pub(super) count: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            transfer: Script::new(MOVE),
            delay: Script::new(DELAY),
            fetch: Script::new(FETCH),
            tick: Script::new(TICK),
            leave: Script::new(LEAVE),
            forget: Script::new(FORGET),
            count: Script::reading(COUNT),
        }
    }
}
