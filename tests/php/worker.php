<?php
// worker.php ADDRESS ID COUNT: a worker of the manual's cluster. It takes what is pushed to its number,
// an integer, and to all, and ends after so many events.

declare(strict_types=1);

require __DIR__ . '/channel.php';
require __DIR__ . '/check.php';

[, $address, $id, $count] = $argv;
$id = (int)$id;
$left = (int)$count;
Channel::connect($address);
$tell = function (mixed $data, int|string $event) use (&$left): void {
    say(gettype($event) . ' ' . $event . ' ' . shown($data));
    $left -= 1;
};
Channel::on($id, $tell);
Channel::on('广播', $tell);
// What a server pushes to a connection comes in order: whoever gets this is subscribed to all before.
Channel::on("ready $id", function () use ($id): void {
    Channel::unsubscribe("ready $id");
    say('ready');
});
Channel::publish("ready $id", null);
Channel::run(function () use (&$left): bool {
    return $left === 0;
});
say('done');
