<?php
// shards.php A,B,C COUNT: writes so many numbered variables, spread over the servers, and reads them.

declare(strict_types=1);

require __DIR__ . '/globaldata.php';
require __DIR__ . '/check.php';

[, $addresses, $count] = $argv;
$global = new GlobalData(explode(',', $addresses));
for ($number = 0; $number < (int)$count; $number++) {
    $global->{"user:$number"} = $number;
}
for ($number = 0; $number < (int)$count; $number++) {
    if ($global->{"user:$number"} !== $number) {
        throw new RuntimeException("user:$number is lost");
    }
}
say('done');
