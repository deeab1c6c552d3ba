/* Tells whether this process was refused memory, which libraries do not always report. See _memory.pyi. */
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include <errno.h>
#include <signal.h>
#include <unistd.h>

static int exit_code;

static PyObject *forget(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    errno = 0;
    Py_RETURN_NONE;
}

static PyObject *was_refused(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    return PyBool_FromLong(errno == ENOMEM);
}

static void ended(int number)
{
    if (errno == ENOMEM)
        _exit(exit_code);
    signal(number, SIG_DFL);
    raise(number);
}

static PyObject *exit_with(PyObject *module, PyObject *code)
{
    static const int deaths[] = {SIGABRT, SIGTRAP, SIGILL, SIGSEGV};

    (void)module;
    exit_code = (int)PyLong_AsLong(code);
    if (PyErr_Occurred())
        return NULL;
    for (size_t i = 0; i < sizeof deaths / sizeof *deaths; i++)
        signal(deaths[i], ended);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"forget", forget, METH_NOARGS, "See _memory.pyi."},
    {"was_refused", was_refused, METH_NOARGS, "See _memory.pyi."},
    {"exit_with", exit_with, METH_O, "See _memory.pyi."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_memory", "See _memory.pyi.", 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__memory(void)
{
    return PyModuleDef_Init(&definition);
}
