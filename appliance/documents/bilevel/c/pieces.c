/* Joins the pieces of pale lines in scans: the rules of tables, the frames of fields. Where such a line is hardly
 * deeper than ink must be, noise breaks it up; from the end of a piece on it is followed by what is weaker. */
#include "sheet.h"

#include <stdlib.h>

/* A piece is ink of at least PIECE_LONG pixels in a row or column, at most PIECE_THICK thick. */
enum { PIECE_LONG = 31, PIECE_THICK = 5 };
/* A pixel goes on with the line when it is at least RIDGE deeper than those ASIDE pixels to both sides (COARSE_RIDGE at
 * standard resolution, where a lying line may share two rows with paper), and by a third of what these differ: the rim
 * of a tint does not. Of the last LATELY pixels ENOUGH must do so. What is gained is marked from half a piece's
 * length on; around its middle what has OF_MIDDLE percent of its depth. */
enum { RIDGE = 9, COARSE_RIDGE = 6, ASIDE = 5, LATELY = 16, ENOUGH = 12, OF_MIDDLE = 70 };

/* A direction to follow lines in: columns and rows to the next pixel, octets to the one beside it; least length of a
 * piece, how far aside a line's paper is looked at, how thick a line may be, and by how much deeper than its paper. */
typedef struct {
    int right, down;
    ptrdiff_t across;
    int length, aside, thick, ridge;
} Way;

typedef struct {
    const Mask *ink;
    const uint8_t *depth;
    Size size;
} Sheet;

static int is_within(const Sheet *sheet, const Way *way, ptrdiff_t x, ptrdiff_t y)
{
    ptrdiff_t far = way->aside + 2;
    return way->right ? x >= 2 && x < sheet->size.width - 2 && y >= far && y < sheet->size.rows - far
                      : y >= 2 && y < sheet->size.rows - 2 && x >= far && x < sheet->size.width - far;
}

static int is_ridge(const uint8_t *depth, const Way *way)
{
    int one = depth[-way->aside * way->across], other = depth[way->aside * way->across];
    int deeper = *depth - (one > other ? one : other);
    return deeper >= way->ridge && 3 * deeper >= abs(one - other);
}

/* Pixels of ink across a line at a pixel, up to one more than a line may have. */
static int thickness(const Sheet *sheet, const Way *way, ptrdiff_t x, ptrdiff_t y)
{
    int found = 1;
    for (int side = -1; side <= 1; side += 2)
        for (ptrdiff_t far = 1; far <= way->thick; far++, found++) {
            ptrdiff_t column = x + (way->right ? 0 : side * far), row = y + (way->right ? side * far : 0);
            if (column < 0 || row < 0 || column >= sheet->size.width || row >= sheet->size.rows
                || !is_marked(sheet->ink, column, row))
                break;
        }
    return found;
}

static void mark_around(const Sheet *sheet, const Way *way, ptrdiff_t at)
{
    for (int side = -1; side <= 1; side++) {
        ptrdiff_t here = at + side * way->across;
        if (sheet->depth[here] * 100 >= sheet->depth[at] * OF_MIDDLE)
            mark(sheet->ink, here % sheet->size.width, here / sheet->size.width);
    }
}

/* The pixels that a line is followed over; how many of them are gained; the length when it left ink, how many since then
 * go on with the line; how many in a row are of thick ink. */
typedef struct {
    ptrdiff_t *at, count, gained, left;
    int ridges, thick;
} Path;

/* Whether the line ends at the path's last pixel, ``x``, ``y``: ink behind a gap in which it is not seen is type, and so
 * is thick ink for a quarter of a piece's length; what is less is a line that it crosses. */
static int ends_at(const Sheet *sheet, const Way *way, Path *path, ptrdiff_t x, ptrdiff_t y)
{
    if (!is_marked(sheet->ink, x, y)) {
        path->thick = 0;
        return 0;
    }
    int seen = 2 * path->ridges >= path->count - 1 - path->left;
    path->thick = thickness(sheet, way, x, y) > way->thick ? path->thick + 1 : 0;
    if (!seen || path->thick > way->length / 4) {
        ptrdiff_t before = seen ? path->count - path->thick : path->left;
        path->gained = path->gained < before ? path->gained : before;
        return 1;
    }
    path->left = path->count;
    path->ridges = 0;
    return 0;
}

/* Follows a line beyond its last pixel ``x``, ``y``. ``at`` has room for the longest. */
static void follow(const Sheet *sheet, const Way *way, ptrdiff_t x, ptrdiff_t y, ptrdiff_t *at)
{
    uint32_t lately = UINT32_MAX;
    Path path = {.at = at};
    while (is_within(sheet, way, x, y) && bits_in(lately & ((1u << LATELY) - 1)) >= ENOUGH) {
        ptrdiff_t here = (y + way->down) * sheet->size.width + x + way->right, best = here;
        for (int side = -1; side <= 1; side += 2)
            if (sheet->depth[here + side * way->across] > sheet->depth[best])
                best = here + side * way->across;
        x = best % sheet->size.width;
        y = best / sheet->size.width;
        path.at[path.count++] = best;
        if (ends_at(sheet, way, &path, x, y))
            break;
        int of_line = is_ridge(sheet->depth + best, way);
        lately = lately << 1 | (uint32_t)of_line;
        path.ridges += of_line && path.left < path.count;
        path.gained = of_line ? path.count : path.gained;
    }
    for (ptrdiff_t each = 0; each < path.gained && path.gained >= way->length / 2; each++)
        mark_around(sheet, way, path.at[each]);
}

/* Whether the piece that ends at ``x``, ``y`` goes on as ink beside it. */
static int goes_on(const Sheet *sheet, const Way *way, ptrdiff_t x, ptrdiff_t y)
{
    for (int side = -1; side <= 1; side++) {
        ptrdiff_t column = x + way->right + (way->right ? 0 : side), row = y + way->down + (way->right ? side : 0);
        if (is_marked(sheet->ink, column, row))
            return 1;
    }
    return 0;
}

static void follow_all(const Sheet *sheet, const Way *way, const Mask *ends, ptrdiff_t *path)
{
    for (ptrdiff_t y = 0; y < sheet->size.rows; y++)
        for (ptrdiff_t x = next_marked(ends, y, 0); x < sheet->size.width; x = next_marked(ends, y, x + 1)) {
            if (!is_within(sheet, way, x, y) || goes_on(sheet, way, x, y))
                continue;
            int thin = 1; /* and no word whose letters are blurred into one */
            for (int back = way->length / 4; back < way->length && thin; back += way->length / 4)
                thin = thickness(sheet, way, x - back * way->right, y - back * way->down) <= way->thick;
            if (thin)
                follow(sheet, way, x, y, path);
        }
}

/* Sets ``ends`` to the last pixels of the runs of ``pieces`` in the direction of ``way``. */
static void take_ends(const Mask *ends, const Mask *pieces, const Way *way)
{
    ptrdiff_t last = pieces->size.rows - 1;
    for (ptrdiff_t y = 0; y <= last; y++) {
        const uint64_t *from = row_of(pieces, y);
        uint64_t *to = row_of(ends, y);
        for (ptrdiff_t word = 0; word < pieces->stride; word++) {
            uint64_t next = 0;
            if (way->right > 0)
                next = from[word] >> 1 | (word + 1 < pieces->stride ? from[word + 1] << (WORD - 1) : 0);
            else if (way->right < 0)
                next = from[word] << 1 | (word > 0 ? from[word - 1] >> (WORD - 1) : 0);
            else if (y + way->down >= 0 && y + way->down <= last)
                next = row_of(pieces, y + way->down)[word];
            to[word] = from[word] & ~next;
        }
    }
}

int join_pieces(const Band *band, const Mask *ink, const uint8_t *depth)
{
    Size size = band->size;
    Mask masks[2], *pieces = masks, *ends = masks + 1;
    ptrdiff_t longest = size.width > size.rows ? size.width : size.rows;
    ptrdiff_t *path = malloc((size_t)longest * sizeof *path);
    int failed = path == NULL || new_masks(masks, 2, size) < 0;
    for (int upright = 0; upright < 2 && !failed; upright++) {
        int across = upright ? 1 : pixels_across(band, PIECE_LONG), down = upright ? pixels_down(band, PIECE_LONG) : 1;
        copy_mask(pieces, ink);
        failed = open_mask(pieces, across, down) < 0;
        for (int back = -1; back <= 1 && !failed; back += 2) {
            Way way = {.right = upright ? 0 : back, .down = upright ? back : 0, .across = upright ? 1 : size.width,
                       .length = upright ? down : across,
                       .aside = upright ? pixels_across(band, ASIDE) : pixels_down(band, ASIDE),
                       .thick = upright ? pixels_across(band, PIECE_THICK) : pixels_down(band, PIECE_THICK),
                       .ridge = !upright && band->ground->y_dpi < COARSE_DPI ? COARSE_RIDGE : RIDGE};
            take_ends(ends, pieces, &way);
            follow_all(&(Sheet){ink, depth, size}, &way, ends, path);
        }
    }
    free(path);
    free_masks(masks);
    return failed ? -1 : 0;
}
