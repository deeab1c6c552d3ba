/* Specks: small groups of connected pixels. */
#include "sheet.h"

/* Whether at most ``most`` pixels are connected to this one; if so, ``at`` are their columns and rows and ``count``
 * is their number. */
static int is_speck(const Mask *ink, ptrdiff_t x, ptrdiff_t y, int most, ptrdiff_t at[MOST_SPECK + 1][2], int *count)
{
    Size size = ink->size;
    int found = 1;
    at[0][0] = x;
    at[0][1] = y;
    for (int next = 0; next < found; next++) {
        ptrdiff_t column = at[next][0], row = at[next][1];
        for (ptrdiff_t r = row > 0 ? row - 1 : 0; r <= row + 1 && r < size.rows; r++)
            for (ptrdiff_t c = column > 0 ? column - 1 : 0; c <= column + 1 && c < size.width; c++) {
                int known = !is_marked(ink, c, r);
                for (int each = 0; each < found && !known; each++)
                    known = at[each][0] == c && at[each][1] == r;
                if (known)
                    continue;
                if (found == most)
                    return 0;
                at[found][0] = c;
                at[found++][1] = r;
            }
    }
    *count = found;
    return 1;
}

/* A quick test whether more than ``most`` pixels are connected: counts ``run`` and what touches it in the two rows
 * below, within one word. */
static int is_large(const Mask *ink, ptrdiff_t word, uint64_t run, ptrdiff_t y, int most)
{
    unsigned count = bits_in(run);
    for (ptrdiff_t row = y + 1; row <= y + 2 && row < ink->size.rows && count <= (unsigned)most && run; row++) {
        run = row_of(ink, row)[word] & (run | run << 1 | run >> 1);
        count += bits_in(run);
    }
    return count > (unsigned)most;
}

void remove_specks(const Mask *ink, int most)
{
    ptrdiff_t at[MOST_SPECK + 1][2];
    int count = 0;
    for (ptrdiff_t y = 0; y < ink->size.rows; y++) {
        uint64_t from_left = 0;
        for (ptrdiff_t word = 0; word < ink->stride; word++) {
            uint64_t here = row_of(ink, y)[word], above = y > 0 ? row_of(ink, y - 1)[word] : 0;
            /* Pixels with ink to their left or above belong to a group already examined. */
            uint64_t begun = here & ~(here << 1 | from_left) & ~above;
            from_left = here >> (WORD - 1);
            for (; begun; begun &= begun - 1) {
                ptrdiff_t x = word * WORD + first_of(begun);
                uint64_t first = begun & ~(begun - 1), run = here & ~(here + first);
                if (!is_large(ink, word, run, y, most) && is_marked(ink, x, y) && is_speck(ink, x, y, most, at, &count))
                    for (int each = 0; each < count; each++)
                        unmark(ink, at[each][0], at[each][1]);
            }
        }
    }
}
