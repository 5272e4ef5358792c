<?php
// append.php ADDRESS KEY NAME TIMES: appends NAME to a list so often, by the manual's cas loop, and says
// how often it lost.

declare(strict_types=1);

require __DIR__ . '/globaldata.php';
require __DIR__ . '/check.php';

[, $address, $key, $name, $times] = $argv;
$global = new GlobalData($address);
$global->add($key, []);
$lost = 0;
for ($turn = 0; $turn < (int)$times; $turn++) {
    do {
        $old = $global->__get($key);
        $new = $old;
        $new[] = "$name $turn";
        $won = $global->cas($key, $old, $new);
        $lost += $won ? 0 : 1;
        if ($lost > 1000000) {
            throw new RuntimeException('nobody can lose that often');
        }
    } while (!$won);
}
say("lost $lost");
