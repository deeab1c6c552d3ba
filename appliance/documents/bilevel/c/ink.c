/* Finds ink: pixels darker than their surroundings, and pixels known from the document to be type. The depth of a
 * pixel is the number of levels by which it is darker than the closing around it. */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

/* A pixel is ink when its depth is at least SHARE percent of the greatest depth within NEAR x NEAR pixels, COARSE_SHARE
 * at standard resolution, where thin strokes share their row with paper, */
enum { SHARE = 42, COARSE_SHARE = 38, NEAR = 7 };
/* and at least this many levels: in a drawing, where type is known to be, in a scan. In a scan NOISE_TIMES the noise
 * counts where that is more, and in the dark LEAST_AS_IT_CAME before its paper was brought to white, since noise that a
 * JPEG leaves has no measure there; up to MOST_SCANNED. */
enum { LEAST_DRAWN = 20, LEAST_TYPE = 12, LEAST_SCANNED = 34, MOST_SCANNED = 90, NOISE_TIMES = 6, LEAST_AS_IT_CAME = 16 };
/* Security grounds are searched from depth LEAST_GROUND on, as they are recognised by covering an area. In a scan the
 * grain of its paper may be as deep: there from GRAIN_TIMES the median depth on. Specks of up to NOISE_SPECK pixels are
 * removed first: noise. */
enum { LEAST_GROUND = 12, GRAIN_TIMES = 2, NOISE_SPECK = 4 };
/* In a scan pixels from WEAK_SHARE percent of that depth on are ink when connected to ink. */
enum { WEAK_SHARE = 70 };

static int least_of(const Band *band, int least)
{
    least -= least * band->darker / 150;
    return least < 4 ? 4 : least;
}

static int share_of(const Band *band)
{
    int share = band->ground->y_dpi < COARSE_DPI ? COARSE_SHARE : SHARE;
    return share - share * band->darker / 200;
}

WIDE static void mark_deep(uint8_t *restrict line, const uint8_t *restrict depth, const uint8_t *restrict most,
                           ptrdiff_t width, int least, int share)
{
    uint8_t from = (uint8_t)least;
    for (ptrdiff_t x = 0; x < width; x++)
        line[x] = (depth[x] >= from) & ((uint16_t)(depth[x] * 100) >= (uint16_t)(share * most[x]));
}

int where_deep(const Mask *ink, const uint8_t *depth, const Band *band, int least, int share)
{
    ptrdiff_t width = ink->size.width, rows = ink->size.rows;
    int down = pixels_down(band, NEAR);
    uint8_t *line = new_line(ink->size), *most = malloc((size_t)width); /* within NEAR x NEAR pixels */
    Widening widening = {0};
    int failed = line == NULL || most == NULL
                 || begin_widening(&widening, width, pixels_across(band, NEAR), down, LIGHT) < 0;
    for (ptrdiff_t y = -(down / 2); y < rows && !failed; y++) {
        widen_next(&widening, most, y + down / 2 < rows ? depth + (y + down / 2) * width : NULL);
        if (y < 0)
            continue;
        mark_deep(line, depth + y * width, most, width, least, share);
        take_line(ink, y, line);
    }
    end_widening(&widening);
    free(most);
    free(line);
    return failed ? -1 : 0;
}

/* -- ink ---------------------------------------------------------------------------------------- */

/* Scales depths down where noise is high, so that one threshold, LEAST_SCANNED, fits the whole band. */
static void measure_in_noise(const Band *band, uint8_t *depth)
{
    Size size = band->size;
    ptrdiff_t tile_rows = rows_of_tile(band->ground->y_dpi);
    for (ptrdiff_t top = 0, below; top < size.rows; top = below) {
        below = ((top + band->first) / tile_rows + 1) * tile_rows - band->first; /* end of the row of tiles */
        below = below < size.rows ? below : size.rows;
        for (ptrdiff_t left = 0; left < size.width; left += TILE) {
            int least = least_depth(band, left, top, NOISE_TIMES, LEAST_AS_IT_CAME);
            least = least > MOST_SCANNED ? MOST_SCANNED : least;
            if (least <= LEAST_SCANNED)
                continue;
            uint16_t scale = (uint16_t)(LEAST_SCANNED * 256 / least);
            ptrdiff_t right = size.width - left < TILE ? size.width : left + TILE;
            for (ptrdiff_t y = top; y < below; y++)
                for (uint8_t *at = depth + y * size.width + left; at < depth + y * size.width + right; at++)
                    *at = (uint8_t)(*at * scale >> 8);
        }
    }
}

WIDE static void mark_certain(uint8_t *restrict line, const uint8_t *restrict depth, int least, ptrdiff_t width)
{
    uint8_t from = (uint8_t)least;
    for (ptrdiff_t x = 0; x < width; x++)
        line[x] = depth[x] >= from;
}

/* Keeps ink of at least ``least`` depth. */
static int keep_deep(const Mask *ink, const uint8_t *depth, int least)
{
    Size size = ink->size;
    uint8_t *line = new_line(size);
    Mask deep = {0};
    int failed = line == NULL || new_masks(&deep, 1, size) < 0;
    for (ptrdiff_t y = 0; y < size.rows && !failed; y++)
        if (any_in_row(ink, y)) {
            mark_certain(line, depth + y * size.width, least, size.width);
            take_line(&deep, y, line);
        }
    if (!failed)
        keep_mask(ink, &deep);
    free(line);
    free_masks(&deep);
    return failed ? -1 : 0;
}

/* Keeps ink connected to ink of at least ``least`` depth. */
static int keep_certain(const Mask *ink, const uint8_t *depth, int least)
{
    Mask certain = {0};
    if (new_masks(&certain, 1, ink->size) < 0)
        return -1;
    copy_mask(&certain, ink);
    int failed = keep_deep(&certain, depth, least) < 0;
    for (int round = 0; round < 2 && !failed; round++) {
        sweep_mask(&certain, ink, 0);
        sweep_mask(&certain, ink, 1);
    }
    copy_mask(ink, &certain);
    free_masks(&certain);
    return failed ? -1 : 0;
}

/* ``depth``: in, the closing of ``grey``; out, the depth in ``grey``, or in luma where that is twice as great, as for
 * black on magenta. Between 1.5 times and twice it passes from one to the other, so that no letter is of both. */
WIDE static void take_depth(uint8_t *restrict depth, const uint8_t *grey, const uint8_t *closed, const uint8_t *tone,
                            size_t count)
{
    for (size_t at = 0; at < count; at++) {
        uint8_t of_grey = depth[at] - grey[at], of_tone = closed[at] - tone[at];
        uint8_t more = (of_tone > of_grey ? of_tone : of_grey) - of_grey;
        uint8_t twice = more > 127 ? 255 : (uint8_t)(2 * more);
        uint8_t between = twice < of_tone ? twice : of_tone;
        depth[at] = between > of_grey ? between : of_grey;
    }
}

WIDE static void take_greater(uint8_t *restrict to, const uint8_t *restrict other, size_t count)
{
    for (size_t at = 0; at < count; at++)
        to[at] = other[at] > to[at] ? other[at] : to[at];
}

/* Adds the depth of the type. */
static void take_type(const Band *band, uint8_t *depth)
{
    ptrdiff_t width = band->size.width;
    for (const Box *box = band->type_boxes; box < band->type_boxes + band->type_count; box++) {
        ptrdiff_t from = box->top > band->above ? box->top - band->above : 0, below = box->below - band->above;
        below = below < band->size.rows ? below : band->size.rows;
        if (from < below)
            take_greater(depth + from * width, band->dark_type + from * width, (size_t)((below - from) * width));
    }
}

/* ``marks``: what may be a security ground or type on it; found anew where the type is known. The ground's ``depth``
 * becomes 0: flat waves are no millimetre paper. */
static int drop_ground(const Band *band, const Mask *ink, const Mask *marks, uint8_t *depth)
{
    size_t octets = (size_t)(band->size.width * band->size.rows);
    if (band->dark_type == NULL) {
        if (band->ground->scanned)
            remove_specks(marks, band->ground->y_dpi < COARSE_DPI ? NOISE_SPECK * 3 / 4 : NOISE_SPECK);
        return drop_security_ground(band, ink, marks, depth);
    }
    uint8_t *all = malloc(octets); /* depth of the ground and of the type on it */
    if (all == NULL)
        return -1;
    memcpy(all, depth, octets);
    take_type(band, all);
    int failed = where_deep(marks, all, band, least_of(band, LEAST_GROUND), share_of(band)) < 0
                 || drop_security_ground(band, ink, marks, all) < 0;
    for (size_t at = 0; at < octets && !failed; at++)
        depth[at] = all[at] ? depth[at] : 0;
    free(all);
    return failed ? -1 : 0;
}

/* In a scan, what is not deeper than MOST_OF_GROUND and within OF_GROUND levels of its ground is no ink: between a
 * white line and the bright rim that a scanner's sharpening leaves around type, closing is lighter than the ground. On a
 * tint, darker than TINTED, up to MOST_OF_TINT and OF_TINT: sharpening makes its own rim darker. */
enum { OF_GROUND = 16, MOST_OF_GROUND = 44, TINTED = 240, OF_TINT = 26, MOST_OF_TINT = 60 };

WIDE static void mark_of_ground(uint8_t *restrict line, const uint8_t *restrict grey, const uint8_t *restrict level,
                                const uint8_t *restrict depth, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++) {
        uint8_t differ = difference(grey[x], level[x]);
        uint8_t of = level[x] < TINTED ? OF_TINT : OF_GROUND;
        uint8_t most = level[x] < TINTED ? MOST_OF_TINT : MOST_OF_GROUND;
        line[x] = (differ <= of) & (depth[x] <= most);
    }
}

static int drop_of_ground(const Band *band, const Mask *ink, const uint8_t *depth, const uint8_t *level)
{
    Size size = band->size;
    uint8_t *line = new_line(size);
    Mask ground = {0};
    int failed = line == NULL || new_masks(&ground, 1, size) < 0;
    for (ptrdiff_t y = 0; y < size.rows && !failed; y++)
        if (any_in_row(ink, y)) {
            ptrdiff_t row = y * size.width;
            mark_of_ground(line, band->under_tone + row, level + row, depth + row, size.width);
            take_line(&ground, y, line);
        }
    if (!failed)
        drop_mask(ink, &ground);
    free(line);
    free_masks(&ground);
    return failed ? -1 : 0;
}

/* The median of every GRAIN_STEPth depth. */
static int median_depth(const uint8_t *depth, size_t octets)
{
    enum { GRAIN_STEP = 7 };
    size_t depths[256] = {0}, below = 0;
    for (size_t at = 0; at < octets; at += GRAIN_STEP)
        depths[depth[at]]++;
    int median = 0;
    while (2 * GRAIN_STEP * (below + depths[median]) < octets)
        below += depths[median++];
    return median;
}

/* The depth from which on a security ground is searched. */
static int least_of_ground(const Band *band, const uint8_t *depth)
{
    size_t octets = (size_t)(band->size.width * band->size.rows);
    int grain = band->ground->scanned ? GRAIN_TIMES * median_depth(depth, octets) : 0;
    int least = least_of(band, LEAST_GROUND);
    return grain > least ? grain : least;
}

int find_ink(const Band *band, const Mask *ink, const uint8_t *level)
{
    size_t octets = (size_t)(band->size.width * band->size.rows);
    const uint8_t *grey = band->ground->scanned || band->ground->raster ? band->under_type : band->under_tone;
    uint8_t *depth = malloc(octets);
    int failed = depth == NULL;
    if (!failed) {
        if (grey == band->under_tone)
            memcpy(depth, band->closed, octets);
        else
            failed = without_dark(depth, grey, band->size, pixels_across(band, STROKE), pixels_down(band, STROKE)) < 0;
        take_depth(depth, grey, band->closed, band->under_tone, octets);
        int least = band->ground->scanned ? LEAST_SCANNED : LEAST_DRAWN;
        if (band->ground->scanned)
            measure_in_noise(band, depth);
        least = least_of(band, least);
        int weak = band->ground->scanned ? least * WEAK_SHARE / 100 : least;
        int is_secured = failed ? -1 : may_have_security_ground(band, depth);
        int from = is_secured > 0 ? least_of_ground(band, depth) : weak;
        Mask marks = {0};
        failed = failed || is_secured < 0 || (is_secured && new_masks(&marks, 1, band->size) < 0)
                 || where_deep(ink, depth, band, from, share_of(band)) < 0;
        if (is_secured && !failed) {
            copy_mask(&marks, ink);
            failed = keep_deep(ink, depth, weak) < 0;
        }
        failed = failed || (band->ground->scanned && drop_of_ground(band, ink, depth, level) < 0)
                 || (weak < least && keep_certain(ink, depth, least) < 0)
                 || (grey == band->under_type && drop_pale_fills(band, ink, depth, weak) < 0)
                 || (is_secured && drop_ground(band, ink, &marks, depth) < 0)
                 || (band->ground->scanned
                     && (drop_pale_strips(band, ink, depth) < 0 || join_pieces(band, ink, depth) < 0))
                 || drop_grid(band, ink, depth) < 0
                 || (!band->ground->scanned && hollow_pale(band, ink, depth, least) < 0);
        free_masks(&marks);
    }
    free(depth);
    return failed ? -1 : 0;
}

int find_type(const Band *band, const Mask *dark, const Mask *light)
{
    int least = least_of(band, LEAST_TYPE), failed = 0;
    for (ptrdiff_t each = 0; each < band->type_count && !failed; each++) {
        ptrdiff_t first = band->type_boxes[each].top, rows = band->type_boxes[each].below - first;
        ptrdiff_t at = first * band->size.width;
        Mask darker = rows_of_mask(dark, first, rows), lighter = rows_of_mask(light, first, rows);
        failed = where_deep(&darker, band->dark_type + at, band, least, share_of(band)) < 0
                 || hollow_pale(band, &darker, band->dark_type + at, least) < 0
                 || (any_set(band->light_type + at, (size_t)(rows * band->size.width))
                     && where_deep(&lighter, band->light_type + at, band, least, LIGHT_SHARE) < 0);
    }
    return failed ? -1 : 0;
}
