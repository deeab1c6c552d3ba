/* Tells light lines that slant or bend from light type. */
#include "light_grounds.h"

#include <stdlib.h>

/* A line is a group of connected pixels whose box is so long and so broad, but filled by SLANTING_PERCENT at most, and
 * no more than so thick on average. */
enum { SLANTING_LENGTH = 100, SLANTING_BREADTH = 24, SLANTING_PERCENT = 20, SLANTING_THICK = 12 };
/* So is one from GAP_LENGTH on that is GAP_SLENDER times as long as it is thick on average and that runs into paper, as
 * a gap between two sectors does: bright pixels, at most BRIGHT_REACH / 2 of which are beyond the light ones, lead to
 * within PAPER_NEAR / 2 pixels of it. A letter has its ground all around. */
enum { GAP_LENGTH = 24, GAP_SLENDER = 4, BRIGHT = 200, BRIGHT_REACH = 33, PAPER_NEAR = 7 };

/* The groups of connected pixels of a mask, one after the other. */
typedef struct {
    Mask left;      /* what is in none of the groups so far */
    uint32_t *at;   /* the pixels of the present group, as row times width plus column */
    ptrdiff_t count;
    ptrdiff_t width, rows; /* of the smallest box around it */
} Group;

/* Takes the group of pixel ``x``, ``y`` out of ``left``. */
static void take_group(Group *group, ptrdiff_t x, ptrdiff_t y)
{
    Size size = group->left.size;
    ptrdiff_t leftmost = x, rightmost = x, lowest = y;
    group->count = 0;
    group->at[group->count++] = (uint32_t)(y * size.width + x);
    unmark(&group->left, x, y);
    for (ptrdiff_t next = 0; next < group->count; next++) {
        ptrdiff_t row = group->at[next] / size.width, column = group->at[next] % size.width;
        leftmost = column < leftmost ? column : leftmost;
        rightmost = column > rightmost ? column : rightmost;
        lowest = row > lowest ? row : lowest;
        for (ptrdiff_t r = row > 0 ? row - 1 : 0; r <= row + 1 && r < size.rows; r++)
            for (ptrdiff_t c = column > 0 ? column - 1 : 0; c <= column + 1 && c < size.width; c++)
                if (is_marked(&group->left, c, r)) {
                    unmark(&group->left, c, r);
                    group->at[group->count++] = (uint32_t)(r * size.width + c);
                }
    }
    group->width = rightmost - leftmost + 1;
    group->rows = lowest - y + 1;
}

static int meets(const Group *group, const Mask *mask)
{
    for (ptrdiff_t each = 0; each < group->count; each++)
        if (is_marked(mask, group->at[each] % mask->size.width, group->at[each] / mask->size.width))
            return 1;
    return 0;
}

static int is_line(const Group *group, int dpi_down, const Mask *near_paper)
{
    ptrdiff_t down = group->rows * 196 / dpi_down, across = group->width, count = group->count * 196 / dpi_down;
    ptrdiff_t length = across > down ? across : down, breadth = across > down ? down : across;
    return (length >= SLANTING_LENGTH && breadth >= SLANTING_BREADTH && count <= length * SLANTING_THICK
            && count * 100 <= length * breadth * SLANTING_PERCENT)
           || (length >= GAP_LENGTH && length * length >= GAP_SLENDER * count && meets(group, near_paper));
}

WIDE static void mark_bright(uint8_t *restrict line, const uint8_t *restrict grey, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        line[x] = grey[x] >= BRIGHT;
}

/* Sets ``near`` to areas of paper and what is close to them, and adds to ``light`` what is bright beside it. */
static int find_paper(const Band *band, const Mask *near, const Mask *light, const Mask *bright)
{
    ptrdiff_t width = band->size.width;
    uint8_t *line = new_line(band->size);
    if (line == NULL)
        return -1;
    for (ptrdiff_t y = 0; y < band->size.rows; y++) {
        mark_bright(line, band->under_tone + y * width, width);
        take_line(near, y, line);
    }
    free(line);
    copy_mask(bright, light);
    if (widen_scaled(band, bright, BRIGHT_REACH, BRIGHT_REACH) < 0)
        return -1;
    keep_mask(bright, near);
    if (open_mask(near, pixels_across(band, AREA), pixels_down(band, AREA)) < 0)
        return -1;
    drop_mask(bright, near);
    add_mask(light, bright);
    return widen_scaled(band, near, PAPER_NEAR, PAPER_NEAR);
}

int drop_thin_lines(const Band *band, const Mask *light)
{
    enum { LEFT, NEAR, BESIDE, ALL };
    Size size = band->size;
    if (!any_marked(light))
        return 0;
    Mask masks[ALL] = {0}, *left = masks + LEFT, *near_paper = masks + NEAR;
    int failed = new_masks(masks, ALL, size) < 0;
    if (!failed) {
        copy_mask(left, light);
        failed = find_paper(band, near_paper, left, masks + BESIDE) < 0;
    }
    Group group = {.left = *left, .at = failed ? NULL : malloc(count_marked(left) * sizeof *group.at)};
    failed = group.at == NULL;
    for (ptrdiff_t y = 0; y < size.rows && !failed; y++)
        for (ptrdiff_t x = next_marked(left, y, 0); x < size.width; x = next_marked(left, y, x)) {
            take_group(&group, x, y);
            int dropped = is_line(&group, band->ground->y_dpi, near_paper);
            for (ptrdiff_t each = 0; each < group.count && dropped; each++)
                unmark(light, group.at[each] % size.width, group.at[each] / size.width);
        }
    free(group.at);
    free_masks(masks);
    return failed ? -1 : 0;
}
