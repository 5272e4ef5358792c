<?php
// push.php ADDRESS (all | loop) EVENT JSON: publishes once, reads nothing and ends at once.

declare(strict_types=1);

require __DIR__ . '/channel.php';

[, $address, $whom, $event, $json] = $argv;
Channel::connect($address);
Channel::publish($event, json_decode($json, true, 512, JSON_THROW_ON_ERROR), $whom === 'loop');
