<?php
// Answers questions about values until there are no more. A question is a byte, the length of a text in
// four bytes, and the text; an answer is 0, the length of what follows, an MD5 and a text, or 1 for a
// refusal, or 2 for a question that was not meant. Five zeros ask for the answers so far.

declare(strict_types=1);

const TAKEN = 0;
const REFUSED = 1;
const NOT_COMPARED = 2;

final class Refusal extends Exception
{
}

final class NotCompared extends Exception
{
}

// What PHP warns of is not compared, what it does is.
error_reporting(0);

$input = fopen('php://stdin', 'rb');
$answers = '';
while (strlen($head = stream_get_contents($input, 5)) === 5) {
    ['kind' => $kind, 'length' => $length] = unpack('Ckind/Nlength', $head);
    if ($kind === 0) {
        fwrite(STDOUT, $answers);
        $answers = '';
        continue;
    }
    $text = $length === 0 ? '' : stream_get_contents($input, $length);
    try {
        $answer = answer(chr($kind), $text);
        $answers .= pack('CN', TAKEN, strlen($answer) + 32) . md5($answer) . $answer;
    } catch (NotCompared) {
        $answers .= pack('CN', NOT_COMPARED, 0);
    } catch (Throwable) {
        $answers .= pack('CN', REFUSED, 0);
    }
}

function answer(string $kind, string $text): string
{
    return match ($kind) {
        'v' => serialize(value($text)),
        'e' => events($text),
        's' => stored($text),
        'j' => json($text),
        '+' => sum($text),
    };
}

/** Classes are nothing but names here, as they are to a server that has none of them. */
function value(string $text, int $levels = 4096): mixed
{
    $value = unserialize($text, ['allowed_classes' => ['stdClass'], 'max_depth' => $levels]);
    if ($value === false && !str_starts_with($text, 'b:0;')) {
        throw new Refusal();
    }
    if (str_contains($text, 'R:') && may_contain_itself($value)) {
        throw new NotCompared();
    }
    // Circles that a doubled key has cut off would still count as partners of references.
    gc_collect_cycles();
    return $value;
}

/**
 * Whether an array is inside itself, which only a reference can bring about. No program means that, and
 * what PHP writes of it depends on where it looks first. Where looking takes too long, it may be.
 */
function may_contain_itself(mixed $value): bool
{
    $steps = 10000;
    return contains_itself($value, [], $steps);
}

function contains_itself(mixed $value, array $path, int &$steps): bool
{
    if (is_object($value)) {
        // An object may well be inside itself, and an array in it may be seen the second time only.
        $id = spl_object_id($value);
        $path[$id] = ($path[$id] ?? 0) + 1;
        if ($path[$id] > 2) {
            return false;
        }
    } elseif (!is_array($value)) {
        return false;
    }
    $entries = (array)$value;
    foreach (array_keys($entries) as $key) {
        if ($steps-- <= 0) {
            return true;
        }
        $inner = $path;
        $reference = ReflectionReference::fromArrayElement($entries, $key);
        if ($reference !== null && is_array($entries[$key])) {
            $id = $reference->getId();
            if (isset($path[$id])) {
                return true;
            }
            $inner[$id] = 1;
        }
        if (contains_itself($entries[$key], $inner, $steps)) {
            return true;
        }
    }
    return false;
}

function events(string $body): string
{
    $request = value($body);
    if (!is_array($request) || ($request['type'] ?? null) !== 'publish') {
        throw new NotCompared();
    }
    if (!is_array($request['channels'] ?? null)) {
        throw new NotCompared();
    }
    $events = '';
    foreach ($request['channels'] as $channel) {
        if (is_array($channel) || is_object($channel)) {
            throw new Refusal();
        }
        $event = ['type' => 'event', 'channel' => $channel, 'data' => $request['data']];
        $event = serialize($event);
        $events .= pack('N', strlen($event) + 4) . $event;
    }
    return $events;
}

function stored(string $body): string
{
    $request = value($body);
    if (!is_array($request) || ($request['cmd'] ?? null) !== 'set' || !isset($request['key'])) {
        throw new NotCompared();
    }
    if (is_array($request['key']) || is_object($request['key'])) {
        throw new Refusal();
    }
    $store = [];
    $store['key'] = $request['value'];
    unset($request);
    gc_collect_cycles();
    return serialize($store['key']);
}

/** What is no JSON is a string. */
function json(string $text): string
{
    $value = json_decode($text, true);
    return serialize(json_last_error() === JSON_ERROR_NONE ? $value : $text);
}

/** Two values one behind the other: only PHP's own text of the first tells where the second begins. */
function sum(string $text): string
{
    // References would count from elsewhere.
    if (preg_match('/[rR]:/', $text) === 1) {
        throw new NotCompared();
    }
    // Both stand in requests, which take a level.
    $first = value($text, 4095);
    $length = strlen(serialize($first));
    if (!str_starts_with($text, serialize($first)) || $first === null) {
        throw new NotCompared();
    }
    $step = value(substr($text, $length), 4095);
    return serialize((is_numeric($first) ? $first : 0) + $step);
}
