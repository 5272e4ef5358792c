<?php
// consumer.php ADDRESS QUEUE COUNT [hold]: does so many jobs and ends; to hold is to never get done.

declare(strict_types=1);

require __DIR__ . '/channel.php';
require __DIR__ . '/check.php';

[, $address, $queue, $count] = $argv;
$hold = ($argv[4] ?? '') === 'hold';
$left = (int)$count;
Channel::connect($address);
Channel::watch($queue, function (mixed $job) use (&$left, $hold): void {
    say('job ' . shown($job));
    $left -= 1;
    if ($hold) {
        sleep(60);
    }
});
say('ready');
Channel::run(function () use (&$left): bool {
    return $left === 0;
});
// The last reserve has said that the last job is done; nothing more is wanted.
Channel::unwatch($queue);
say('done');
