<?php
// A client of channel-server, used as the manual's examples use theirs.

declare(strict_types=1);

require_once __DIR__ . '/frames.php';

final class Channel
{
    private static mixed $socket = null;
    private static array $events = [];
    private static array $queues = [];

    public static function connect(string $address): void
    {
        self::$socket = connect_to($address);
    }

    /** Names may be integers; PHP makes integers of array keys like "5" anyway. */
    public static function on(int|string $event, callable $callback): void
    {
        self::$events[$event] = $callback;
        self::subscribe($event);
    }

    public static function subscribe(int|string|array $events): void
    {
        self::send(['type' => 'subscribe', 'channels' => (array)$events]);
    }

    public static function unsubscribe(int|string|array $events): void
    {
        self::send(['type' => 'unsubscribe', 'channels' => (array)$events]);
        foreach ((array)$events as $event) {
            unset(self::$events[$event]);
        }
    }

    /** To all subscribers, or to the next one in turn. */
    public static function publish(int|string|array $events, mixed $data, bool $loop = false): void
    {
        $type = $loop ? 'publishLoop' : 'publish';
        self::send(['type' => $type, 'channels' => (array)$events, 'data' => $data]);
    }

    /** Asks for the first job, and for the next one after every callback. */
    public static function watch(int|string|array $queues, callable $callback): void
    {
        self::send(['type' => 'watch', 'channels' => (array)$queues]);
        foreach ((array)$queues as $queue) {
            self::$queues[$queue] = $callback;
        }
        self::reserve();
    }

    public static function unwatch(int|string|array $queues): void
    {
        self::send(['type' => 'unwatch', 'channels' => (array)$queues]);
        foreach ((array)$queues as $queue) {
            unset(self::$queues[$queue]);
        }
    }

    public static function enqueue(int|string|array $queues, mixed $data): void
    {
        self::send(['type' => 'enqueue', 'channels' => (array)$queues, 'data' => $data]);
    }

    public static function reserve(): void
    {
        self::send(['type' => 'reserve']);
    }

    /** What keeps a connection alive: a frame without a body. */
    public static function ping(): void
    {
        send_frame(self::$socket, '');
    }

    /** Calls callbacks until one of them has made `$done` true. */
    public static function run(callable $done): void
    {
        while (!$done()) {
            $push = unserialize(read_frame(self::$socket));
            if ($push['type'] === 'event') {
                (self::$events[$push['channel']])($push['data'], $push['channel']);
            } else {
                (self::$queues[$push['channel']])($push['data'], $push['channel']);
                self::reserve();
            }
        }
    }

    private static function send(array $request): void
    {
        send_frame(self::$socket, serialize($request));
    }
}
