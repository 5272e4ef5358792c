<?php
// Frames over a socket: four bytes of length, which counts itself, then a serialized value.

declare(strict_types=1);

function connect_to(string $address): mixed
{
    $unix = str_starts_with($address, 'unix://');
    $socket = stream_socket_client($unix ? $address : "tcp://$address", $code, $text, 5);
    if ($socket === false) {
        throw new RuntimeException("cannot connect to $address: $text");
    }
    stream_set_timeout($socket, 10);
    return $socket;
}

function send_frame(mixed $socket, string $body): void
{
    $frame = pack('N', strlen($body) + 4) . $body;
    for ($sent = 0; $sent < strlen($frame); $sent += $count) {
        $count = fwrite($socket, substr($frame, $sent));
        if ($count === false || $count === 0) {
            throw new RuntimeException('the server takes nothing');
        }
    }
}

function read_exactly(mixed $socket, int $length): string
{
    $bytes = '';
    while (strlen($bytes) < $length) {
        $piece = fread($socket, $length - strlen($bytes));
        if ($piece === false || $piece === '') {
            throw new RuntimeException('the server sends nothing');
        }
        $bytes .= $piece;
    }
    return $bytes;
}

function read_frame(mixed $socket): string
{
    $length = unpack('N', read_exactly($socket, 4))[1];
    return read_exactly($socket, $length - 4);
}
