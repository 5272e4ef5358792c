<?php
// variables.php ADDRESS: everything that the manual says about variables.

declare(strict_types=1);

require __DIR__ . '/globaldata.php';
require __DIR__ . '/check.php';

final class Node
{
    public mixed $next = null;
    protected string $secret = 'prot';
    private float $own = 0.1;
}

$global = new GlobalData($argv[1]);

check('nothing is set at first', false, isset($global->list));
check('what is not set is null', null, $global->list);
$global->list = [1, 2, 3];
check('a list is read as it was written', [1, 2, 3], $global->list);
check('it is set', true, isset($global->list));
check('what is set cannot be added', false, $global->add('list', 'other'));
unset($global->list);
check('what was unset is gone', false, isset($global->list));
check('what is gone can be added', true, $global->add('list', ['new']));
check('what was added is there', ['new'], $global->list);

$global->nothing = null;
check('null is not set', false, isset($global->nothing));
check('null can be added over', true, $global->add('nothing', 0));
foreach ([false, 0, 0.0, '', '0', []] as $index => $empty) {
    $global->{"empty $index"} = $empty;
    check("what is empty is set ($index)", true, isset($global->{"empty $index"}));
    check("what is empty comes back ($index)", $empty, $global->{"empty $index"});
}

check('nothing is incremented', false, $global->increment('counter'));
$global->counter = 10;
check('by one', 11, $global->increment('counter'));
check('by any step', 9, $global->increment('counter', -2));
check('by text that is a number', 14, $global->increment('counter', '5'));
check('by a half', 14.5, $global->increment('counter', 0.5));
$global->counter = PHP_INT_MAX;
check('beyond what an integer holds', 9.2233720368547758e18, $global->increment('counter'));
$global->counter = 'no number';
check('text counts from nothing', 3, $global->increment('counter', 3));

$global->state = 'a';
check('cas by another value', false, $global->cas('state', 'b', 'c'));
check('cas by the value', true, $global->cas('state', 'a', 'b'));
check('cas has written', 'b', $global->state);
check('cas of what is missing, from null', true, $global->cas('state 2', null, 1));
check('cas is strict about types', false, $global->cas('state 2', '1', 2));
$global->map = ['b' => 1, 'a' => [1.0, null, true, "bin\0\xff"]];
check('cas of an array', true, $global->cas('map', $global->map, ['x' => 1]));

$nested = ['x' => [['y' => ['deep' => [1, 'two', 3.5, null, false]]]], 5 => 'five', '05' => '05', -1 => 'm'];
$global->nested = $nested;
check('arrays keep keys and order', $nested, $global->nested);
$big = range(1, 20000);
$global->big = $big;
check('what is large comes back', $big, $global->big);

$node = new Node();
$node->next = new Node();
$node->next->next = $node;
$global->node = $node;
$read = $global->node;
check('objects come back, private parts as well', $node, $read);
check('a circle is a circle', true, $read->next->next === $read);
$shared = new stdClass();
$global->shared = [$shared, $shared, 'k' => ['in' => $shared]];
$read = $global->shared;
check('one object twice is one object', true, $read[0] === $read[1] && $read['k']['in'] === $read[0]);
$one = 1;
$tied = [&$one, &$one, 2];
$global->tied = $tied;
$read = $global->tied;
$read[0] = 'changed';
check('references are references', ['changed', 'changed', 2], [$read[0], $read[1], $read[2]]);
check('they are written as PHP does', serialize($tied), $global->text('tied'));

$global->{'7'} = 'seven';
check('names like numbers', 'seven', $global->{'7'});
$global->{'广播 x'} = 'utf-8';
check('names in any script', 'utf-8', $global->{'广播 x'});
$global->{"bin\0\xff"} = 'binary';
check('names of any bytes', 'binary', $global->{"bin\0\xff"});
say('done');
