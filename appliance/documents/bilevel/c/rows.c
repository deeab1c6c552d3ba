/* Classifies the rows of a grey page: white, black on white, or more than that. */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

enum { GREY_AREA = 8 }; /* flag: the row is within a grey area */

/* Marks pixels that are ink, and those that are white. Returns the kind of the row. */
WIDE static uint8_t tell_apart(uint8_t *restrict inks, uint8_t *restrict whites, const uint8_t *restrict row,
                               uint8_t ink_below, uint8_t white_from, ptrdiff_t width)
{
    uint8_t neither = 0, not_white = 0;
    for (ptrdiff_t x = 0; x < width; x++) {
        uint8_t ink = row[x] < ink_below, white = row[x] >= white_from;
        inks[x] = ink;
        whites[x] = white;
        neither |= (ink | white) ^ 1;
        not_white |= white ^ 1;
    }
    return neither ? ROW_TONED : not_white ? ROW_PLAIN : ROW_WHITE;
}

/* Sets row ``y`` of the masks from its lines ``inks`` and ``whites`` and its ``kind``. */
static void take_kinds(const Mask *ink, const Mask *white, const Mask *neither, ptrdiff_t y, const uint8_t *inks,
                       const uint8_t *whites, uint8_t kind)
{
    ptrdiff_t words = ink->stride, width = ink->size.width;
    uint64_t *of_ink = row_of(ink, y), *of_white = row_of(white, y), *of_neither = row_of(neither, y);
    if (kind == ROW_WHITE)
        memset(of_ink, 0, (size_t)words * sizeof *of_ink);
    else
        take_line(ink, y, inks);
    if (kind == ROW_WHITE)
        mark_run(white, y, 0, width);
    else
        take_line(white, y, whites);
    for (ptrdiff_t word = 0; word < words; word++)
        of_neither[word] = ~(of_ink[word] | of_white[word]);
    if (width % WORD)
        of_neither[words - 1] &= (UINT64_C(1) << width % WORD) - 1;
}

static void repeat_kinds(const Mask *mask, ptrdiff_t y)
{
    memcpy(row_of(mask, y), row_of(mask, y - 1), (size_t)mask->stride * sizeof *mask->words);
}

/* Number of pixels that are neither ink nor white and lack one of them nearby. */
static ptrdiff_t count_tones(const uint64_t *neither, const uint64_t *ink_near, const uint64_t *white_near,
                             ptrdiff_t words)
{
    ptrdiff_t count = 0;
    for (ptrdiff_t word = 0; word < words; word++) {
        uint64_t lost = neither[word] & ~(ink_near[word] & white_near[word]);
        if (lost)
            count += bits_in(lost);
    }
    return count;
}

/* A black area this wide, and solid_rows high, is not type; what is white on it is. */
enum { SOLID_ACROSS = 64 };
/* Grey areas from this size on, in pixels and rows at 196 dpi, count as tones: those of a legend must match the
 * chart's. */
enum { GREY_ACROSS = 16, GREY_ROWS = 12, GREY_FROM = 40 };
/* So do white fields on pale tints, of as many rows, and pale tints that are empty for so many pixels and rows. */
enum { FIELD_ACROSS = 16, EMPTY_ROWS = EMPTY_DOWN - 1 };

/* Whether ``across`` pixels, a power of two up to WORD, are marked side by side. ``scratch`` is a word longer. */
static int has_long_run(uint64_t *scratch, const uint64_t *row, ptrdiff_t words, int across)
{
    uint64_t some = 0;
    memcpy(scratch, row, (size_t)words * sizeof *row);
    scratch[words] = 0;
    for (int covered = 1; covered < across; covered *= 2)
        for (ptrdiff_t word = 0; word < words; word++)
            scratch[word] &= scratch[word] >> covered | scratch[word + 1] << (WORD - covered);
    for (ptrdiff_t word = 0; word < words; word++)
        some |= scratch[word];
    return some != 0;
}

WIDE static int mark_grey(uint8_t *restrict greys, const uint8_t *restrict inks, const uint8_t *restrict row,
                          ptrdiff_t width)
{
    uint8_t some = 0;
    for (ptrdiff_t x = 0; x < width; x++) {
        greys[x] = inks[x] & (row[x] >= GREY_FROM);
        some |= greys[x];
    }
    return some;
}

enum { NEAR = 3, BAND = 64, INK = 0, WHITE, NEITHER, MASKS };

/* The rows of a page, told band by band. */
typedef struct {
    uint8_t *kinds;
    const uint8_t *grey;
    ptrdiff_t stride;
    Size page;
    uint8_t ink_below, white_from;
    ptrdiff_t solid_rows, spared;

    Mask masks[MASKS], greys; /* of a band and NEAR rows around it; of two rows */
    uint8_t *inks, *line;
    uint64_t *scratch;
    ptrdiff_t from, to, top, below; /* the rows of the masks; of these the band */

    ptrdiff_t solid, solid_grey; /* rows up to this one that may be of such an area */
    ptrdiff_t pale, empty;       /* rows up to this one with a pale tint, or an empty one */
    int has_empty;               /* enough of the pale ones are empty */
    ptrdiff_t tones;
    int has_area; /* a grey one */
} Rows;

static int take_memory(Rows *rows)
{
    rows->inks = new_line(rows->page);
    rows->line = new_line(rows->page);
    if (rows->inks == NULL || rows->line == NULL
        || new_masks(rows->masks, MASKS, (Size){rows->page.width, BAND + 2 * NEAR}) < 0
        || new_masks(&rows->greys, 1, (Size){rows->page.width, 2}) < 0)
        return -1;
    rows->scratch = malloc((size_t)(rows->greys.stride + 1) * sizeof *rows->scratch);
    return rows->scratch == NULL ? -1 : 0;
}

static int is_of_solid(const Rows *rows, ptrdiff_t y)
{
    const Mask *ink = rows->masks + INK;
    return rows->spared == EVERY_TONE
           && has_long_run(rows->scratch, row_of(ink, y - rows->from), ink->stride, SOLID_ACROSS);
}

static int is_of_grey(const Rows *rows, const uint8_t *row)
{
    if (!mark_grey(rows->line, rows->inks, row, rows->page.width))
        return 0;
    take_line(&rows->greys, 0, rows->line);
    return has_long_run(rows->scratch, rows->greys.words, rows->greys.stride, GREY_ACROSS);
}

/* Sets line 0 to the pixels of pale tints, and ``scratch`` to the begins of their runs of FIELD_ACROSS pixels; returns
 * whether there are any. */
static int has_pale(const Rows *rows, const uint8_t *row)
{
    const Mask *lines = &rows->greys;
    if (rows->spared != EVERY_TONE
        || !mark_levels(rows->line, row, PALE_FROM, FIELD_WHITE - FIELD_PALER, rows->page.width))
        return 0;
    take_line(lines, 0, rows->line);
    return has_long_run(rows->scratch, row_of(lines, 0), lines->stride, FIELD_ACROSS);
}

/* Whether a pale tint EMPTY_ACROSS pixels long is between white. */
static int has_empty_pale(const Rows *rows, const uint8_t *row)
{
    const Mask *tint = &rows->greys;
    ptrdiff_t width = rows->page.width;
    for (ptrdiff_t end, x = next_marked(tint, 0, 0); x < width; x = next_marked(tint, 0, end)) {
        end = next_unmarked(tint, 0, x);
        if (end - x >= EMPTY_ACROSS && x > NEAR && end + NEAR < width && row[x - NEAR] >= FIELD_WHITE
            && row[end + NEAR] >= FIELD_WHITE)
            return 1;
    }
    return 0;
}

/* Whether the row has white between pale tints, both wider than FIELD_ACROSS pixels: it may be of a white field. */
static int has_white_field(const Rows *rows, const uint8_t *row)
{
    const Mask *lines = &rows->greys;
    ptrdiff_t words = lines->stride, width = rows->page.width;
    Mask begins = {rows->scratch, words, {width, 1}}; /* of the tint's runs */
    ptrdiff_t first = next_marked(&begins, 0, 0), last = first;
    for (ptrdiff_t x = first; x < width; x = next_marked(&begins, 0, next_unmarked(&begins, 0, x)))
        last = x;
    mark_levels(rows->line, row, FIELD_WHITE, 255, width);
    take_line(lines, 1, rows->line);
    unmark_run(lines, 1, 0, first);
    unmark_run(lines, 1, last, width);
    return has_long_run(rows->scratch, row_of(lines, 1), words, FIELD_ACROSS);
}

/* Adds row ``y`` to the areas that it may be of. */
static void follow_areas(Rows *rows, ptrdiff_t y, int has_solid, int has_grey)
{
    rows->solid = has_solid ? rows->solid + 1 : 0;
    rows->solid_grey = has_grey ? rows->solid_grey + 1 : 0;
    if (rows->solid >= rows->solid_rows)
        rows->kinds[y] |= ROW_SOLID;
    if (rows->solid_grey >= rows->solid_rows * GREY_ROWS / SOLID_ROWS) {
        rows->kinds[y] |= ROW_TONED | GREY_AREA;
        rows->has_area = 1;
    }
}

/* Adds row ``y`` to the rows with pale tints that go on above it; these are toned where some are long empty. */
static void follow_pale(Rows *rows, ptrdiff_t y, int pale, int empty)
{
    rows->empty = empty ? rows->empty + 1 : 0;
    if (rows->empty >= rows->solid_rows * EMPTY_ROWS / SOLID_ROWS)
        rows->has_empty = 1;
    for (ptrdiff_t row = y - rows->pale; row < y && !pale && rows->has_empty; row++)
        rows->kinds[row] |= ROW_TONED | GREY_AREA;
    rows->pale = pale ? rows->pale + 1 : 0;
    rows->has_empty &= pale;
}

/* Fills the masks; returns whether a row has pixels that are neither ink nor white. */
static int take_rows(Rows *rows)
{
    int some = 0, has_solid = 0, has_grey = 0, pale = 0, empty = 0;
    uint8_t kind = ROW_WHITE;
    for (ptrdiff_t y = rows->from; y < rows->to; y++) {
        const uint8_t *row = rows->grey + y * rows->stride;
        int is_new = y == rows->from || memcmp(row, row - rows->stride, (size_t)rows->page.width) != 0;
        if (is_new) {
            kind = tell_apart(rows->inks, rows->line, row, rows->ink_below, rows->white_from, rows->page.width);
            take_kinds(rows->masks + INK, rows->masks + WHITE, rows->masks + NEITHER, y - rows->from, rows->inks,
                       rows->line, kind);
        } else
            for (int each = 0; each < MASKS; each++)
                repeat_kinds(rows->masks + each, y - rows->from);
        some |= kind == ROW_TONED;
        if (y < rows->top || y >= rows->below)
            continue;
        rows->kinds[y] = kind;
        if (is_new || y == rows->top) {
            has_solid = kind != ROW_WHITE && is_of_solid(rows, y);
            pale = has_pale(rows, row);
            empty = pale && has_empty_pale(rows, row);
            has_grey = (kind != ROW_WHITE && is_of_grey(rows, row)) || (pale && has_white_field(rows, row));
        }
        follow_areas(rows, y, has_solid, has_grey);
        follow_pale(rows, y, pale, empty);
    }
    return some;
}

/* Rows whose every tone has ink and white nearby are plain. Returns 0, or -1 without memory. */
static int settle_rows(Rows *rows)
{
    Mask *ink = rows->masks + INK, *white = rows->masks + WHITE, *neither = rows->masks + NEITHER;
    ink->size.rows = white->size.rows = rows->to - rows->from;
    if (widen_mask(ink, 2 * NEAR + 1, 2 * NEAR + 1) < 0 || widen_mask(white, 2 * NEAR + 1, 2 * NEAR + 1) < 0)
        return -1;
    for (ptrdiff_t y = rows->top; y < rows->below; y++) {
        if (!(rows->kinds[y] & ROW_TONED) || (rows->kinds[y] & GREY_AREA))
            continue;
        ptrdiff_t at = y - rows->from;
        ptrdiff_t count = count_tones(row_of(neither, at), row_of(ink, at), row_of(white, at), ink->stride);
        rows->tones += count;
        if (count == 0)
            rows->kinds[y] = (uint8_t)(ROW_PLAIN | (rows->kinds[y] & ROW_SOLID));
    }
    return 0;
}

int tell_rows(uint8_t *kinds, const uint8_t *grey, ptrdiff_t stride, Size page, uint8_t ink_below,
              uint8_t white_from, ptrdiff_t solid_rows, ptrdiff_t spared)
{
    Rows rows = {.kinds = kinds,
                 .grey = grey,
                 .stride = stride,
                 .page = page,
                 .ink_below = ink_below,
                 .white_from = white_from,
                 .solid_rows = solid_rows,
                 .spared = spared};
    int failed = take_memory(&rows) < 0, is_toned = 0;
    for (rows.top = 0; rows.top < page.rows && !failed && !is_toned; rows.top += BAND) {
        rows.from = rows.top < NEAR ? 0 : rows.top - NEAR;
        rows.below = rows.top + BAND < page.rows ? rows.top + BAND : page.rows;
        rows.to = rows.below + NEAR < page.rows ? rows.below + NEAR : page.rows;
        failed = take_rows(&rows) && settle_rows(&rows) < 0;
        is_toned = spared != EVERY_TONE && (rows.has_area || rows.tones > spared);
    }
    for (ptrdiff_t y = 0; y < page.rows && spared != EVERY_TONE && !is_toned; y++)
        if (kinds[y] & ROW_TONED)
            kinds[y] = (uint8_t)(ROW_PLAIN | (kinds[y] & ROW_SOLID));
    free_masks(rows.masks);
    free_masks(&rows.greys);
    free(rows.inks);
    free(rows.line);
    free(rows.scratch);
    return failed ? -1 : is_toned;
}
