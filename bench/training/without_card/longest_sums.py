"""The sums of a training step that keep a card waiting: those in which one thread adds up most.

    DRIVER_GRIDS=grids.txt bench/training/without_card/run.sh target/release/training --device cuda --steps 1
    python3 bench/training/without_card/longest_sums.py grids.txt 11

The second argument is the number of steps that the file holds (`training` makes ten before those it measures). Without
autotune burn gives each output of a sum to one thread, which adds up one value after the other.
"""

import sys
from collections import Counter
from math import prod

SHOWN = 25


def read(words):
    """The shape of a sum's input and its axis, from the shapes of input and output one after the other."""
    for rank in range(1, len(words) // 4 + 1):
        shape, output = words[:rank], words[rank : 2 * rank]
        summed = [axis for axis in range(rank) if shape[axis] != output[axis]]
        if len(summed) == 1 and output[summed[0]] == 1:
            return tuple(shape), summed[0]
    return None


def main():
    path, steps = sys.argv[1], int(sys.argv[2])
    launches, sums = 0, Counter()
    with open(path) as lines:
        for line in lines:
            launches += 1
            name, blocks, threads, *words = line.split()
            sum_of = read([int(word) for word in words]) if words else None
            if sum_of:
                sums[sum_of] += 1
    print(f"{launches / steps:.0f} launches a step, {sum(sums.values()) / steps:.0f} of them sums")
    additions = sum(shape[axis] * count for (shape, axis), count in sums.items()) / steps
    print(f"{additions:.0f} additions a step one after the other, if each sum ran alone; the longest:")
    by_length = sorted(sums.items(), key=lambda item: -item[0][0][item[0][1]] * item[1])
    for (shape, axis), count in by_length[:SHOWN]:
        outputs = prod(shape) // shape[axis]
        print(f"{count / steps:6.1f} sums of {shape[axis]:7} values to {outputs:8} outputs: {list(shape)} over axis {axis}")


if __name__ == "__main__":
    main()
