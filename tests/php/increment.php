<?php
// increment.php ADDRESS KEY TIMES: says the last answer.

declare(strict_types=1);

require __DIR__ . '/globaldata.php';
require __DIR__ . '/check.php';

[, $address, $key, $times] = $argv;
$global = new GlobalData($address);
$global->add($key, 0);
for ($turn = 0; $turn < (int)$times; $turn++) {
    $last = $global->increment($key);
    if (!is_int($last)) {
        throw new RuntimeException('no integer: ' . serialize($last));
    }
}
say((string)$last);
