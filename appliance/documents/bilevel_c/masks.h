/* Masks: what is marked of a picture, a bit a pixel, worked on 64 pixels at a time.
 *
 * Functions that return int return 0, or -1 without memory.  Beyond the edge there is nothing that counts.
 */
#ifndef FAXBOX_MASKS_H
#define FAXBOX_MASKS_H

#include "planes.h"

enum { WORD = 64 };

typedef struct {
    uint64_t *words; /* ``stride`` to a row; the lowest bit is the leftmost pixel; 0 beyond the edge */
    ptrdiff_t stride;
    Size size;
} Mask;

/* So many masks of one size with nothing marked, in one piece that the first one owns. */
int new_masks(Mask *masks, int count, Size size);
void free_masks(Mask *masks);

static inline uint64_t *row_of(const Mask *mask, ptrdiff_t y)
{
    return mask->words + y * mask->stride;
}

static inline int is_marked(const Mask *mask, ptrdiff_t x, ptrdiff_t y)
{
    return (int)(row_of(mask, y)[x / WORD] >> x % WORD & 1);
}

static inline void mark(const Mask *mask, ptrdiff_t x, ptrdiff_t y)
{
    row_of(mask, y)[x / WORD] |= UINT64_C(1) << x % WORD;
}

static inline void unmark(const Mask *mask, ptrdiff_t x, ptrdiff_t y)
{
    row_of(mask, y)[x / WORD] &= ~(UINT64_C(1) << x % WORD);
}

/* Which of the 64 pixels in a word is the first that is marked; there is one. */
static inline int first_of(uint64_t word)
{
#ifdef __GNUC__
    return __builtin_ctzll(word);
#else
    int at = 0;
    for (; !(word & 1); word >>= 1)
        at++;
    return at;
#endif
}

/* How many bits are set. */
static inline unsigned bits_in(uint64_t word)
{
    word -= word >> 1 & UINT64_C(0x5555555555555555); /* sums of two, four and eight bits, and of all eights */
    word = (word & UINT64_C(0x3333333333333333)) + (word >> 2 & UINT64_C(0x3333333333333333));
    word = (word + (word >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    return (unsigned)(word * UINT64_C(0x0101010101010101) >> 56);
}

/* From pixel ``left`` to before ``right``. */
void mark_run(const Mask *mask, ptrdiff_t y, ptrdiff_t left, ptrdiff_t right);
void unmark_run(const Mask *mask, ptrdiff_t y, ptrdiff_t left, ptrdiff_t right);
/* The first pixel from ``x`` on that is marked, or is not; the width when there is none. */
ptrdiff_t next_marked(const Mask *mask, ptrdiff_t y, ptrdiff_t x);
ptrdiff_t next_unmarked(const Mask *mask, ptrdiff_t y, ptrdiff_t x);

/* A line: a row as octets of 0 or 1, for work on single pixels; whole words, 0 beyond the edge.  NULL without memory. */
uint8_t *new_line(Size size);
void take_line(const Mask *mask, ptrdiff_t y, const uint8_t *line);
void put_line(const Mask *mask, ptrdiff_t y, uint8_t *line);

int any_in_row(const Mask *mask, ptrdiff_t y);
int any_marked(const Mask *mask);
size_t count_marked(const Mask *mask);

/* Whole masks of one size: a copy; also what ``other`` marks; only that; all but that. */
void copy_mask(const Mask *to, const Mask *from);
void add_mask(const Mask *to, const Mask *other);
void keep_mask(const Mask *to, const Mask *other);
void drop_mask(const Mask *to, const Mask *other);

/* Marked where any, or all, of the box of across x down pixels (both odd) are.  Closing fills what is narrower than
 * the box, opening leaves out what is. */
int widen_mask(const Mask *mask, int across, int down);
int close_mask(const Mask *mask, int across, int down);
int open_mask(const Mask *mask, int across, int down);

/* Only what belongs to a straight run, across or down, of at least ``across`` or ``down`` marked pixels. */
int only_runs(const Mask *mask, int across, int down);

/* Spread ``marked`` over neighbours where ``may`` is set, both ways along the rows, or down the columns. */
void sweep_mask(const Mask *marked, const Mask *may, int down);

#endif
