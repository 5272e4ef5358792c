<?php
// What scripts say to the test that runs them.

declare(strict_types=1);

function say(string $line): void
{
    fwrite(STDOUT, "$line\n");
}

function shown(mixed $value): string
{
    $flags = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION;
    return json_encode($value, $flags | JSON_THROW_ON_ERROR);
}

/** Ends the script unless both are the same in type, order and bytes. */
function check(string $what, mixed $expected, mixed $found): void
{
    if (serialize($expected) !== serialize($found)) {
        fwrite(STDERR, "$what:\n  expected " . serialize($expected) . "\n     found ");
        fwrite(STDERR, serialize($found) . "\n");
        exit(1);
    }
    say("ok $what");
}
