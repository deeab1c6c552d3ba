/* Masks: marked pixels of a picture, one bit each, processed 64 at a time.
 *
 * Functions that return int return 0, or -1 without memory. Pixels beyond the edge are neutral: they neither mark
 * nor unmark. */
#ifndef FAXBOX_MASKS_H
#define FAXBOX_MASKS_H

#include "planes.h"

enum { WORD = 64 };

typedef struct {
    uint64_t *words; /* ``stride`` to a row; the lowest bit is the leftmost pixel; 0 beyond the width */
    ptrdiff_t stride;
    Size size;
} Mask;

/* Allocates ``count`` empty masks in one piece, which ``free_masks`` frees through the first. */
int new_masks(Mask *masks, int count, Size size);
void free_masks(Mask *masks);

static inline uint64_t *row_of(const Mask *mask, ptrdiff_t y)
{
    return mask->words + y * mask->stride;
}

static inline ptrdiff_t words_of(const Mask *mask)
{
    return mask->stride * mask->size.rows;
}

static inline int is_empty(const uint64_t *words, ptrdiff_t count)
{
    uint64_t all = 0;
    for (ptrdiff_t word = 0; word < count; word++)
        all |= words[word];
    return all == 0;
}

/* ``rows`` rows of a mask from ``top`` on. */
static inline Mask rows_of_mask(const Mask *mask, ptrdiff_t top, ptrdiff_t rows)
{
    return (Mask){row_of(mask, top), mask->stride, {mask->size.width, rows}};
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

/* Index of the lowest set bit, the leftmost pixel. At least one must be set. */
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

/* Number of set bits. */
static inline unsigned bits_in(uint64_t word)
{
    word -= word >> 1 & UINT64_C(0x5555555555555555); /* sums of 2, 4 and 8 bits, then of all octets */
    word = (word & UINT64_C(0x3333333333333333)) + (word >> 2 & UINT64_C(0x3333333333333333));
    word = (word + (word >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    return (unsigned)(word * UINT64_C(0x0101010101010101) >> 56);
}

/* Pixels ``left`` to before ``right``. */
void mark_run(const Mask *mask, ptrdiff_t y, ptrdiff_t left, ptrdiff_t right);
void unmark_run(const Mask *mask, ptrdiff_t y, ptrdiff_t left, ptrdiff_t right);
/* First marked, or unmarked, pixel from ``x`` on; the width if there is none. */
ptrdiff_t next_marked(const Mask *mask, ptrdiff_t y, ptrdiff_t x);
ptrdiff_t next_unmarked(const Mask *mask, ptrdiff_t y, ptrdiff_t x);

/* A line is a row as octets of 0 or 1, for work on single pixels, padded with 0 to whole words. new_line returns
 * NULL without memory; take_line copies a line into a mask, put_line a row of a mask into a line. */
uint8_t *new_line(Size size);
void take_line(const Mask *mask, ptrdiff_t y, const uint8_t *line);
void put_line(const Mask *mask, ptrdiff_t y, uint8_t *line);

int any_in_row(const Mask *mask, ptrdiff_t y);
int any_marked(const Mask *mask);
size_t count_marked(const Mask *mask);

/* On whole masks of one size: copy; or; and; and not. */
void copy_mask(const Mask *to, const Mask *from);
void add_mask(const Mask *to, const Mask *other);
void keep_mask(const Mask *to, const Mask *other);
void drop_mask(const Mask *to, const Mask *other);

/* Sets the one row of ``edge`` to the pixels of row ``y`` that have one outside ``mask`` beside, above or below them. */
void outermost(const Mask *edge, const Mask *mask, ptrdiff_t y);

/* morphology.c: widening (dilation), closing and opening by a box of across x down pixels, both odd. Closing fills
 * what is narrower than the box, opening removes it. */
int widen_mask(const Mask *mask, int across, int down);
int close_mask(const Mask *mask, int across, int down);
int open_mask(const Mask *mask, int across, int down);

/* Keeps what is in a straight run of at least ``across`` pixels horizontally or ``down`` pixels vertically. */
int only_runs(const Mask *mask, int across, int down);

/* Spreads ``marked`` within ``may`` along rows, or, if ``down``, along columns, in both directions. */
void sweep_mask(const Mask *marked, const Mask *may, int down);

/* The same along columns and rows, twice: enough for what is connected round a corner or two. */
void spread_mask(const Mask *marked, const Mask *may);

#endif
