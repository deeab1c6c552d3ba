"""The compiled parts.  Without a C compiler they are left out, and libraries do their work more slowly."""

from setuptools import Extension, setup


def _optional(name: str) -> Extension:
    return Extension(
        name,
        [name.replace(".", "/") + ".c"],
        extra_compile_args=["-O3"],
        py_limited_api=True,
        optional=True,
    )


setup(ext_modules=[_optional("appliance.documents._bilevel"), _optional("appliance.t4._mmr")])
