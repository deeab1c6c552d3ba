#!/usr/bin/python3
"""Writes what a root file system is made of as SPDX 2.3 (JSON): Debian's packages and those from PyPI.

    sbom.py ROOT

Versions come from dpkg's status file and from the packages' own METADATA; nothing of the root is run.
"""

import email.parser
import json
import os
import pathlib
import re
import sys
import time

NO_CLAIM = "NOASSERTION"
NAMESPACE = "https://spdx.org/spdxdocs/faxbox-image"


def debian(root):
    """Debian packages: name, version, architecture, licence file."""
    for block in (root / "var/lib/dpkg/status").read_text("utf-8").split("\n\n"):
        field = dict(re.findall(r"^(Package|Version|Architecture|Status): (.*)$", block, re.MULTILINE))
        if field.get("Status", "").endswith(" installed"):
            name, version, machine = field["Package"], field["Version"], field["Architecture"]
            where = root / "usr/share/doc" / name / "copyright"
            yield {
                "name": name,
                "version": version,
                "url": f"pkg:deb/debian/{name}@{version}?arch={machine}&distro=debian-13",
                "licence": f"/usr/share/doc/{name}/copyright" if where.exists() else "",
                "declared": NO_CLAIM,
            }


def pypi(root):
    """Packages from PyPI that faxbox brings: name, version, the licence they state."""
    for file in sorted((root / "usr/lib/faxbox").glob("lib/python3*/site-packages/*.dist-info/METADATA")):
        said = email.parser.HeaderParser().parsestr(file.read_text("utf-8", "replace"))
        name, version = said["Name"], said["Version"]
        yield {
            "name": f"python-{name}",
            "version": version,
            "url": f"pkg:pypi/{name.lower()}@{version}",
            "licence": f"/{file.parent.relative_to(root)}",
            "declared": said["License-Expression"] or NO_CLAIM,
        }


def document(root):
    """The whole document."""
    packages = [*debian(root), *pypi(root)]
    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", "0"))))
    version = next(package["version"] for package in packages if package["name"] == "faxbox")
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"faxbox-image-{version}",
        "documentNamespace": f"{NAMESPACE}/{version}",
        "creationInfo": {"created": made, "creators": ["Tool: faxbox-image"]},
        "packages": [
            {
                "SPDXID": f"SPDXRef-{number}",
                "name": package["name"],
                "versionInfo": package["version"],
                "downloadLocation": NO_CLAIM,
                "filesAnalyzed": False,
                "licenseConcluded": NO_CLAIM,
                "licenseDeclared": package["declared"],
                "copyrightText": NO_CLAIM,
                "comment": f"licence in the image: {package['licence']}"
                if package["licence"]
                else "no licence file",
                "externalRefs": [
                    {
                        "referenceCategory": "PACKAGE-MANAGER",
                        "referenceType": "purl",
                        "referenceLocator": package["url"],
                    }
                ],
            }
            for number, package in enumerate(packages, start=1)
        ],
        "relationships": [
            {
                "spdxElementId": "SPDXRef-DOCUMENT",
                "relationshipType": "DESCRIBES",
                "relatedSpdxElement": f"SPDXRef-{number}",
            }
            for number in range(1, len(packages) + 1)
        ],
    }


if __name__ == "__main__":
    json.dump(document(pathlib.Path(sys.argv[1])), sys.stdout, indent=1)
