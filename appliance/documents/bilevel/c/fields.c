/* Outlines white fields on a tint that becomes white itself: where a form is to be filled in.
 *
 * A field is white between tint on all four sides, which a white row of a table and the margin between two columns
 * are not. */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

/* A tint that fades has no edge: the step is within this many pixels. */
enum { EDGE = 3 };
/* Of a scan, whose white is PAPER_WHITE and has noise: how light a field is, and how much so beside its tint; it is
 * higher than a stroke, and lower than 60 mm, as shadows are not, and 20 mm long. */
enum { SCANNED_WHITE = 246, SCANNED_PALER = 5, TALL = 463, WIDE_FIELD = 161 };
/* A photograph's paper is uneven and hardly white: of a scan half of the tiles are this light. */
enum { EVEN_PAPER = 240 };

/* The least level of a field, and the most of its tint. */
static int white_of(const Band *band)
{
    return band->ground->scanned ? SCANNED_WHITE : FIELD_WHITE;
}

static int paler_by(const Band *band)
{
    return band->ground->scanned ? SCANNED_PALER : FIELD_PALER;
}

WIDE static int mark_white(uint8_t *restrict line, const uint8_t *restrict level, uint8_t white, uint8_t tint,
                           ptrdiff_t width)
{
    uint8_t tinted = 0;
    for (ptrdiff_t x = 0; x < width; x++) {
        line[x] = level[x] >= white;
        tinted |= (level[x] >= PALE_FROM) & (level[x] <= tint);
    }
    return tinted;
}

/* Sets ``white``; returns 1 if there is a pale tint beside it, 0 if not, or -1 without memory. */
static int take_white(const Band *band, const Mask *white, const uint8_t *level)
{
    ptrdiff_t width = white->size.width;
    int tinted = 0, least = white_of(band);
    uint8_t *line = new_line(white->size);
    if (line == NULL)
        return -1;
    for (ptrdiff_t y = 0; y < white->size.rows; y++) {
        tinted |= mark_white(line, level + y * width, (uint8_t)least, (uint8_t)(least - paler_by(band)), width);
        take_line(white, y, line);
    }
    free(line);
    return tinted;
}

/* Removes from ``fields`` what is open to an edge of the band along its row or column. */
static int drop_open(const Mask *fields)
{
    Mask masks[2], *rows = masks, *columns = masks + 1;
    ptrdiff_t last = fields->size.rows - 1, width = fields->size.width;
    if (new_masks(masks, 2, fields->size) < 0)
        return -1;
    for (ptrdiff_t y = 0; y <= last; y++) {
        mark(rows, 0, y);
        mark(rows, width - 1, y);
    }
    mark_run(columns, 0, 0, width);
    mark_run(columns, last, 0, width);
    keep_mask(rows, fields);
    keep_mask(columns, fields);
    sweep_mask(rows, fields, 0);
    sweep_mask(columns, fields, 1);
    drop_mask(fields, rows);
    drop_mask(fields, columns);
    free_masks(masks);
    return 0;
}

/* Removes what is narrow or tall. */
static int only_fields(const Band *band, const Mask *fields)
{
    Mask tall;
    int failed = open_mask(fields, pixels_across(band, STROKE), pixels_down(band, STROKE)) < 0
                 || new_masks(&tall, 1, band->size) < 0;
    if (failed)
        return -1;
    copy_mask(&tall, fields);
    failed = open_mask(&tall, 1, pixels_down(band, TALL)) < 0;
    drop_mask(fields, &tall);
    free_masks(&tall);
    return failed || only_runs(fields, pixels_across(band, WIDE_FIELD), (int)band->size.rows + 1) < 0 ? -1 : 0;
}

/* Whether the area becomes lighter towards the pixel, from a tint that is drawn white, without a line of its own. */
static int is_edge(const Band *band, const Mask *black, const uint8_t *level, ptrdiff_t x, ptrdiff_t y)
{
    static const int sides[4][2] = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}};
    ptrdiff_t width = band->size.width, rows = band->size.rows;
    int here = level[y * width + x];
    for (int each = 0; each < 4; each++) {
        ptrdiff_t across = sides[each][0], down = sides[each][1], at_x = x + EDGE * across, at_y = y + EDGE * down;
        if (at_x < 0 || at_x >= width || at_y < 0 || at_y >= rows || is_marked(&band->photo, at_x, at_y))
            continue;
        int outside = level[at_y * width + at_x], lined = 0;
        for (int step = 1 - EDGE; step <= 2 * EDGE; step++)
            if (step && x + step * across >= 0 && x + step * across < width && y + step * down >= 0
                && y + step * down < rows)
                lined |= is_marked(black, x + step * across, y + step * down);
        if (!lined && outside <= here - paler_by(band) && outside >= PALE_FROM)
            return 1;
    }
    return 0;
}

/* Marks in ``edge`` the outermost pixels of the fields in row ``y``. */
static void take_edge(const Mask *edge, const Mask *fields, ptrdiff_t y)
{
    const uint64_t *row = row_of(fields, y);
    const uint64_t *above = row_of(fields, y > 0 ? y - 1 : y);
    const uint64_t *below = row_of(fields, y + 1 < fields->size.rows ? y + 1 : y);
    for (ptrdiff_t word = 0; word < fields->stride; word++) {
        uint64_t left = row[word] << 1 | (word > 0 ? row[word - 1] >> (WORD - 1) : 0);
        uint64_t right = row[word] >> 1 | (word + 1 < fields->stride ? row[word + 1] << (WORD - 1) : 0);
        row_of(edge, 0)[word] = row[word] & ~(left & right & above[word] & below[word]);
    }
}

static int has_even_paper(const Ground *ground)
{
    ptrdiff_t tiles = ground->tiles.width * ground->tiles.rows, papers = 0, white = 0;
    for (ptrdiff_t each = 0; each < tiles; each++) {
        papers += ground->tile[each].paper_tone > 0;
        white += ground->tile[each].paper_tone >= EVEN_PAPER;
    }
    return 2 * white >= papers;
}

int outline_fields(const Band *band, const Mask *black, const uint8_t *level, const Mask *near_type)
{
    Mask fields = {0}, edge = {0};
    if (band->ground->scanned && !has_even_paper(band->ground))
        return 0;
    int failed = new_masks(&fields, 1, band->size) < 0 || new_masks(&edge, 1, (Size){band->size.width, 1}) < 0;
    int found = failed ? 0 : take_white(band, &fields, level);
    failed = failed || found < 0
             || (found && (drop_open(&fields) < 0 || (band->ground->scanned && only_fields(band, &fields) < 0)));
    for (ptrdiff_t y = 0; y < band->size.rows && found && !failed; y++) {
        if (!any_in_row(&fields, y))
            continue;
        take_edge(&edge, &fields, y);
        for (ptrdiff_t x = next_marked(&edge, 0, 0); x < band->size.width; x = next_marked(&edge, 0, x + 1))
            if (!is_marked(near_type, x, y) && !is_marked(&band->photo, x, y) && is_edge(band, black, level, x, y))
                mark(black, x, y);
    }
    free_masks(&fields);
    free_masks(&edge);
    return failed ? -1 : 0;
}
