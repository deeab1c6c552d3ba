/* The tints: which a level is, and how each is drawn. */
#include "sheet.h"

const Tint TINTS[TINT_KINDS] = {{PALE_FROM, 0, 8}, {165, 1, 8}, {115, 1, 6}, {70, 1, 3}, {40, 2, 3}, {0, 1, 1}};

int tint_of(int level)
{
    int kind = 0;
    while (kind < BLACK_TINT && level < TINTS[kind].least)
        kind++;
    return kind;
}
