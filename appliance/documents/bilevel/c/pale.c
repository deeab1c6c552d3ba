/* Pale shapes among the ink: strips, bars and boxes that would be as black as dark ones. */
#include "sheet.h"

#include <stdlib.h>

/* In a scan, a strip of a pale tint: all of it is between STRIP_FROM and STRIP_TO deep, so little apart that type would be
 * a blot, in a box of STRIP_LONG x STRIP_WIDE pixels. Its rim, which sharpening makes darker, is up to RIM_DEEP deep. */
enum { STRIP_FROM = 19, STRIP_TO = 46, STRIP_LONG = 33, STRIP_WIDE = 9, STRIP_RIM = 7, RIM_DEEP = 60 };

WIDE static void mark_between(uint8_t *restrict line, const uint8_t *restrict depth, uint8_t from, uint8_t to,
                              ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        line[x] = (depth[x] >= from) & (depth[x] < to);
}

/* Sets ``mask`` to the pixels ``from`` to below ``to`` deep in the rows of ``ink`` that are not empty. */
static void where_between(const Mask *mask, const Mask *ink, const uint8_t *depth, int from, int to, uint8_t *line)
{
    ptrdiff_t width = mask->size.width;
    for (ptrdiff_t y = 0; y < mask->size.rows; y++)
        if (any_in_row(ink, y)) {
            mark_between(line, depth + y * width, (uint8_t)from, (uint8_t)to, width);
            take_line(mask, y, line);
        }
}

int drop_pale_strips(const Band *band, const Mask *ink, const uint8_t *depth)
{
    Mask masks[2], *strips = masks, *upright = masks + 1;
    uint8_t *line = new_line(band->size);
    int failed = new_masks(masks, 2, band->size) < 0 || line == NULL;
    if (!failed) {
        where_between(strips, ink, depth, STRIP_FROM, STRIP_TO, line);
        copy_mask(upright, strips);
        failed = open_mask(strips, pixels_across(band, STRIP_LONG), pixels_down(band, STRIP_WIDE)) < 0
                 || open_mask(upright, pixels_across(band, STRIP_WIDE), pixels_down(band, STRIP_LONG)) < 0;
        add_mask(strips, upright);
    }
    if (!failed && any_marked(strips)) {
        failed = widen_scaled(band, strips, STRIP_RIM, STRIP_RIM) < 0;
        where_between(upright, ink, depth, 0, RIM_DEEP, line);
        keep_mask(strips, upright);
        drop_mask(ink, strips);
    }
    free(line);
    free_masks(masks);
    return failed ? -1 : 0;
}

/* A pale fill narrower than a stroke, as of an empty tick box, would be taken for a mark: from one side to the other it
 * is even, up to a frame FRAME_PERCENT as deep, and it is FILL pixels wide, as pale lines are not; OF_FILL
 * of them are ink. */
enum { FRAME_PERCENT = 150, EVEN_FILL = 2, FILL = 5, OF_FILL = 3 };

/* Whether a frame is met within ``most`` pixels, ``step`` octets apart, and nothing paler than ``least`` before it. */
static int meets_frame(const uint8_t *depth, ptrdiff_t step, ptrdiff_t most, int least)
{
    int frame = *depth * FRAME_PERCENT / 100;
    for (ptrdiff_t each = 1; each <= most; each++) {
        int there = depth[each * step];
        if (there >= frame || there < least)
            return there >= frame;
    }
    return 0;
}

/* Whether frames are met in both directions: from the pixel at ``at`` of a line of ``count``. */
static int is_framed(const uint8_t *depth, ptrdiff_t step, ptrdiff_t at, ptrdiff_t count, ptrdiff_t reach, int even)
{
    ptrdiff_t before = at < reach ? at : reach, after = count - 1 - at < reach ? count - 1 - at : reach;
    int least = *depth - *depth / 8 - even;
    return meets_frame(depth, -step, before, least) && meets_frame(depth, step, after, least);
}

/* Sets ``fills`` to the pale pixels near pale ink that is no rim of a stroke. */
static int find_pale(const Band *band, const Mask *fills, const Mask *ink, int least)
{
    Size size = ink->size;
    uint8_t *line = new_line(size);
    Mask near = {0};
    int failed = line == NULL || new_masks(&near, 1, size) < 0;
    for (ptrdiff_t y = 0; y < size.rows && !failed; y++)
        if (mark_levels(line, band->under_tone + y * size.width, (uint8_t)TINTS[PALE_TINT].least,
                        (uint8_t)(255 - least), size.width))
            take_line(fills, y, line);
    if (!failed) {
        copy_mask(&near, fills);
        keep_mask(&near, ink);
        failed = open_mask(&near, pixels_across(band, OF_FILL), pixels_down(band, OF_FILL)) < 0
                 || widen_scaled(band, &near, STROKE, STROKE) < 0;
        keep_mask(fills, &near);
    }
    free(line);
    free_masks(&near);
    return failed ? -1 : 0;
}

int drop_pale_fills(const Band *band, const Mask *ink, const uint8_t *depth, int least)
{
    Size size = ink->size;
    ptrdiff_t across = pixels_across(band, STROKE), down = pixels_down(band, STROKE);
    int even = beyond_noise(band, EVEN_FILL, 2);
    Mask fills = {0};
    int failed = new_masks(&fills, 1, size) < 0 || find_pale(band, &fills, ink, least) < 0;
    for (ptrdiff_t y = 0; y < size.rows && !failed; y++)
        for (ptrdiff_t x = next_marked(&fills, y, 0); x < size.width; x = next_marked(&fills, y, x + 1)) {
            const uint8_t *at = depth + y * size.width + x;
            if (!is_framed(at, 1, x, size.width, across, even) && !is_framed(at, size.width, y, size.rows, down, even))
                unmark(&fills, x, y);
        }
    failed = failed || (any_marked(&fills) && open_mask(&fills, pixels_across(band, FILL), pixels_down(band, FILL)) < 0);
    if (!failed)
        drop_mask(ink, &fills);
    free_masks(&fills);
    return failed ? -1 : 0;
}

/* Elsewhere a shape up to HOLLOW_DEPTH deep that holds a box of BROAD x BROAD pixels, wider than a line. By its depth, not its
 * ink: near the frame of a tick box its fill is none. */
enum { BROAD = 9 };

int hollow_pale(const Band *band, const Mask *ink, const uint8_t *depth, int least)
{
    Mask masks[2], *pale = masks, *broad = masks + 1, edge = {0};
    uint8_t *line = new_line(ink->size);
    int failed = new_masks(masks, 2, ink->size) < 0 || new_masks(&edge, 1, (Size){ink->size.width, 1}) < 0
                 || line == NULL;
    if (!failed) {
        where_between(pale, ink, depth, least, HOLLOW_DEPTH + 1, line);
        copy_mask(broad, pale);
        failed = open_mask(broad, pixels_across(band, BROAD), pixels_down(band, BROAD)) < 0;
    }
    for (ptrdiff_t y = 0; y < ink->size.rows && !failed; y++)
        if (any_in_row(broad, y)) {
            outermost(&edge, pale, y);
            for (ptrdiff_t word = 0; word < ink->stride; word++)
                row_of(ink, y)[word] &= ~row_of(broad, y)[word] | row_of(&edge, 0)[word];
        }
    free(line);
    free_masks(masks);
    free_masks(&edge);
    return failed ? -1 : 0;
}
