<?php
// producer.php ADDRESS QUEUE FIRST COUNT: enqueues numbered jobs, reads nothing and ends at once.

declare(strict_types=1);

require __DIR__ . '/channel.php';

[, $address, $queue, $first, $count] = $argv;
Channel::connect($address);
for ($number = (int)$first; $number < (int)$first + (int)$count; $number++) {
    Channel::enqueue($queue, ['number' => $number, 'by' => 'php']);
}
