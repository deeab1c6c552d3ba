/* Planes: pictures of one octet a pixel, row after row, and operations on whole ones. */
#ifndef FAXBOX_PLANES_H
#define FAXBOX_PLANES_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h> /* for __GLIBC__ */

typedef struct {
    ptrdiff_t width, rows;
} Size;

/* For loops over whole rows: compiled a second time for processors with wider vectors. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

/* How far two levels are apart. */
static inline uint8_t difference(uint8_t a, uint8_t b)
{
    return a > b ? a - b : b - a;
}

/* How far a level is above another; 0 when it is below. */
static inline uint8_t excess(uint8_t level, uint8_t other)
{
    return level > other ? level - other : 0;
}

/* Greatest (light) or least (dark) octet in a box of across x down pixels, both odd, around each pixel. ``to`` may
 * be ``from``. The edge is repeated outwards. These and the next two return 0, or -1 without memory. */
int widen_light(uint8_t *to, const uint8_t *from, Size size, int across, int down);
int widen_dark(uint8_t *to, const uint8_t *from, Size size, int across, int down);

/* Closing removes dark things narrower than the box, opening light ones. */
int without_dark(uint8_t *to, const uint8_t *from, Size size, int across, int down);
int without_light(uint8_t *to, const uint8_t *from, Size size, int across, int down);

/* The same a row at a time, for work on each while it is in the cache. Rows of ``from``, adjacent in memory, go in, and
 * ``to`` becomes the row ``down`` / 2 above, once there is one; at the end NULL goes in so many times. */
enum { LIGHT = 0, DARK = 255 }; /* values of ``flip`` that make the maxima of what is flipped those of light or dark */
typedef struct {
    ptrdiff_t width, next, alike; /* the row that goes in next; rows up to the last one that are equal */
    int across, down;
    uint8_t flip;
    /* The rows of a block, widened across. The first are those of the current block; the others still are, for each
     * row of the block above, the maxima of the rows from there to the block's end. Then the maxima of the current
     * block so far, and zeros. */
    uint8_t *block, *most, *none;
} Widening;
int begin_widening(Widening *widening, ptrdiff_t width, int across, int down, uint8_t flip);
void widen_next(Widening *widening, uint8_t *to, const uint8_t *from);
void end_widening(Widening *widening);

/* Copies octets of ``from`` where ``where`` is 1; it must be 0 elsewhere. */
void take_where(uint8_t *to, const uint8_t *from, const uint8_t *where, ptrdiff_t count);

/* Whether any octet is not 0. */
int any_set(const uint8_t *plane, size_t octets);

/* Whether any of the counts is not 0; adds a row of a mask (0 or 1) to the counts of its columns, and takes it off. */
int any_of(const uint16_t *values, ptrdiff_t count);
void add_row(uint16_t *restrict columns, const uint8_t *restrict row, ptrdiff_t width);
void take_row_off(uint16_t *restrict columns, const uint8_t *restrict row, ptrdiff_t width);

/* Number of set pixels of ``mask`` (0 or 1) in the box around each pixel; none lie beyond the edge. Returns 0, or -1
 * without memory. */
int count_around(uint16_t *counts, const uint8_t *mask, Size size, int across, int down);

/* Spreads ``marked`` within ``may`` along rows, or, if ``down``, along columns, in both directions. */
void sweep(uint8_t *marked, const uint8_t *may, Size size, int down);

#endif
