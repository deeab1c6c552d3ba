/* Planes: pictures of one octet a pixel, row after row, and what is done to whole ones.
 *
 * Beyond the edge there is nothing that counts.
 */
#ifndef FAXBOX_PLANES_H
#define FAXBOX_PLANES_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h> /* tells which C library it is */

typedef struct {
    ptrdiff_t width, rows;
} Size;

/* Loops over whole rows, compiled a second time for processors with wider vectors. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

/* Greatest or least octet of the box of across x down pixels (both odd) around each pixel of ``from``, which may be
 * the same plane.  Return 0, or -1 without memory. */
int widen_light(uint8_t *to, const uint8_t *from, Size size, int across, int down);
int widen_dark(uint8_t *to, const uint8_t *from, Size size, int across, int down);

/* Without dark things narrower than the box (closing); without light ones (opening). */
int without_dark(uint8_t *to, const uint8_t *from, Size size, int across, int down);
int without_light(uint8_t *to, const uint8_t *from, Size size, int across, int down);

/* Takes octets of ``from`` where ``where`` is 1, and not where it is 0. */
void take_where(uint8_t *to, const uint8_t *from, const uint8_t *where, ptrdiff_t count);

/* Whether there is an octet other than 0. */
int any_set(const uint8_t *plane, size_t octets);

/* How many pixels of ``mask`` (0 or 1) are in the box of side x side_down around each. */
int count_around(uint16_t *counts, const uint8_t *mask, Size size, int across, int down);

/* Spread ``marked`` over neighbours where ``may`` is set, both ways along the rows, or down the columns. */
void sweep(uint8_t *marked, const uint8_t *may, Size size, int down);

#endif
