<?php
// A client of globaldata-server, used as the manual's examples use theirs: variables are properties.

declare(strict_types=1);

require_once __DIR__ . '/frames.php';

final class GlobalData
{
    private array $addresses;
    private array $sockets = [];

    /** One server, or several, of which each has its share of the variables. */
    public function __construct(string|array $addresses)
    {
        $this->addresses = array_values((array)$addresses);
    }

    public function __get(string $key): mixed
    {
        return $this->ask(['cmd' => 'get', 'key' => $key]);
    }

    public function __set(string $key, mixed $value): void
    {
        $this->ask(['cmd' => 'set', 'key' => $key, 'value' => $value]);
    }

    public function __isset(string $key): bool
    {
        return $this->__get($key) !== null;
    }

    public function __unset(string $key): void
    {
        $this->ask(['cmd' => 'delete', 'key' => $key]);
    }

    public function add(string $key, mixed $value): bool
    {
        return $this->ask(['cmd' => 'add', 'key' => $key, 'value' => $value]);
    }

    public function cas(string $key, mixed $old, mixed $new): bool
    {
        $md5 = md5(serialize($old));
        return $this->ask(['cmd' => 'cas', 'md5' => $md5, 'key' => $key, 'value' => $new]);
    }

    public function increment(string $key, mixed $step = 1): mixed
    {
        return $this->ask(['cmd' => 'increment', 'key' => $key, 'step' => $step]);
    }

    /** The text that the server answers with. */
    public function text(string $key): string
    {
        return $this->exchange(['cmd' => 'get', 'key' => $key]);
    }

    private function ask(array $request): mixed
    {
        return unserialize($this->exchange($request));
    }

    private function exchange(array $request): string
    {
        $index = crc32($request['key']) % count($this->addresses);
        $this->sockets[$index] ??= connect_to($this->addresses[$index]);
        send_frame($this->sockets[$index], serialize($request));
        return read_frame($this->sockets[$index]);
    }
}
