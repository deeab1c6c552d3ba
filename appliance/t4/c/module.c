/* Codes and decodes rows, working from one change of colour to the next. libtiff takes a third of the whole time of a
 * scanned page to code it, and reports no damage when it decodes. */
#include "mmr.h"

static PyMethodDef methods[] = {
    {"encode", py_encode, METH_VARARGS, "See _mmr.pyi."},
    {"decode_row", py_decode_row, METH_VARARGS, "See _mmr.pyi."},
    {"decode", py_decode, METH_VARARGS, "See _mmr.pyi."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_mmr", "See _mmr.pyi.", 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__mmr(void)
{
    return PyModuleDef_Init(&definition);
}
