# Ends the process groups that are named here when nobody is left to name them. Each line says that a
# group has begun or is over; the end of the input says that the daemon is gone.
trap '' HUP INT QUIT TERM
groups=
while read -r what group; do
    case $what in
    begun) groups="$groups $group" ;;
    over)
        left=
        for one in $groups; do
            [ "$one" = "$group" ] || left="$left $one"
        done
        groups=$left
        ;;
    esac
done
for group in $groups; do
    kill -s TERM -- "-$group"
    kill -s CONT -- "-$group"
done
for _ in 1 2 3 4 5; do
    left=
    for group in $groups; do
        if kill -s 0 -- "-$group"; then left="$left $group"; fi
    done
    groups=$left
    [ -z "$groups" ] || sleep 1
done
for group in $groups; do
    kill -s KILL -- "-$group"
done
