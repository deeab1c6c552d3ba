/* Grey pixels to packed black and white, the one loop over every pixel of a page that Python's
 * libraries do slowly: Pillow goes through an octet for each pixel twice.  Optional: screen.py does the
 * same through Pillow where this was not compiled.
 */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stdint.h>
#include <string.h>

/* Multiplying eight octets of 0 or 1 by this leaves them as bits in the highest octet, the first one in
 * memory as the most significant. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define GATHER UINT64_C(0x0102040810204080)
#else
#define GATHER UINT64_C(0x8040201008040201)
#endif

#define MOST_ROWS (1 << 20) /* of a page */
#define MOST_PIXELS (UINT64_C(1) << 31) /* both far beyond the renderer's own bounds */

/* Two loops, so that the compiler makes vector instructions of each. */
static void darker_than(uint8_t *restrict ink, const uint8_t *restrict grey, Py_ssize_t width, uint8_t level)
{
    for (Py_ssize_t x = 0; x < width; x++)
        ink[x] = grey[x] < level;
}

static void darker_than_levels(uint8_t *restrict ink, const uint8_t *restrict grey,
                               const uint8_t *restrict levels, Py_ssize_t width)
{
    for (Py_ssize_t x = 0; x < width; x++)
        ink[x] = grey[x] < levels[x];
}

static void darker_than_masked(uint8_t *restrict ink, const uint8_t *restrict grey,
                               const uint8_t *restrict levels, const uint8_t *restrict mask,
                               Py_ssize_t width, uint8_t level)
{
    for (Py_ssize_t x = 0; x < width; x++) {
        uint8_t limit = (levels[x] & mask[x]) | (level & (uint8_t)~mask[x]);
        ink[x] = grey[x] < limit;
    }
}

static Py_ssize_t mask_row(Py_ssize_t row, Py_ssize_t numerator, Py_ssize_t denominator)
{
    return (Py_ssize_t)((int64_t)row * numerator / denominator);
}

static PyObject *pack(PyObject *module, PyObject *args)
{
    Py_buffer grey, levels = {0}, mask = {0};
    Py_ssize_t width, rows, mask_numerator = 1, mask_denominator = 1;
    unsigned char level;
    PyObject *packed = NULL;
    uint8_t *ink = NULL;

    (void)module;
    if (!PyArg_ParseTuple(args, "y*nnb|z*z*nn", &grey, &width, &rows, &level, &levels, &mask,
                          &mask_numerator, &mask_denominator))
        return NULL;
    if (width <= 0 || rows <= 0 || rows > MOST_ROWS || (uint64_t)width > MOST_PIXELS / (uint64_t)rows
        || grey.len != width * rows || (levels.buf && (levels.len == 0 || levels.len % width))
        || mask_numerator <= 0 || mask_numerator > MOST_ROWS || mask_denominator <= 0
        || (mask.buf && (!levels.buf || mask.len % width
                         || mask_row(rows - 1, mask_numerator, mask_denominator) >= mask.len / width))) {
        PyErr_SetString(PyExc_ValueError, "the octets do not make a picture of that size");
        goto out;
    }
    Py_ssize_t row_octets = (width + 7) / 8, period = levels.buf ? levels.len / width : 1;
    ink = PyMem_Malloc((size_t)row_octets * 8);
    packed = PyBytes_FromStringAndSize(NULL, row_octets * rows);
    if (ink == NULL || packed == NULL) {
        Py_CLEAR(packed);
        PyErr_NoMemory();
        goto out;
    }
    memset(ink + width, 0, (size_t)(row_octets * 8 - width)); /* white fills the last octet of a row */
    uint8_t *to = (uint8_t *)PyBytes_AsString(packed);
    for (Py_ssize_t row = 0; row < rows; row++) {
        const uint8_t *from = (const uint8_t *)grey.buf + row * width;
        const uint8_t *limits = levels.buf ? (const uint8_t *)levels.buf + row % period * width : NULL;
        if (mask.buf)
            darker_than_masked(
                ink, from, limits,
                (const uint8_t *)mask.buf + mask_row(row, mask_numerator, mask_denominator) * width, width, level);
        else if (limits)
            darker_than_levels(ink, from, limits, width);
        else
            darker_than(ink, from, width, level);
        for (Py_ssize_t at = 0; at < row_octets; at++) {
            uint64_t eight;
            memcpy(&eight, ink + 8 * at, 8);
            *to++ = (uint8_t)(eight * GATHER >> 56);
        }
    }
out:
    PyMem_Free(ink);
    PyBuffer_Release(&grey);
    if (levels.buf)
        PyBuffer_Release(&levels);
    if (mask.buf)
        PyBuffer_Release(&mask);
    return packed;
}

static PyMethodDef methods[] = {
    {"pack", pack, METH_VARARGS, "See _bilevel.pyi."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_bilevel", "See _bilevel.pyi.", 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__bilevel(void)
{
    return PyModuleDef_Init(&definition);
}
