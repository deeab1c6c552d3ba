"""Causes: why a document cannot be turned into fax pages."""

from __future__ import annotations

from appliance.causes import Retry, Side, declare, user_mistake

DOCUMENT_UNSUPPORTED = user_mistake(
    "document_unsupported",
    "This kind of file cannot be faxed.",
    "Send a PDF, a picture, a text or an Office document; the surest is a PDF.",
)
DOCUMENT_MISLABELLED = user_mistake(
    "document_mislabelled",
    "The file is not what its name or type promises: its content is of another kind.",
    "Open the file: if it shows what you want to send, save it again as a PDF; if it shows a message of a "
    "web server, download it once more.",
)
DOCUMENT_ENCRYPTED = user_mistake(
    "document_encrypted",
    "The document is protected by a password.",
    "Save a copy without a password and send that.",
)
DOCUMENT_DAMAGED = user_mistake(
    "document_damaged",
    "The document is damaged and cannot be read.",
    "Open it, save or print it as a new PDF, and send that.",
)
DOCUMENT_EMPTY = user_mistake(
    "document_empty",
    "There is nothing to send: the document is empty.",
    "Check that the right file was chosen.",
)
DOCUMENT_TOO_LARGE = user_mistake(
    "document_too_large",
    "The document is larger than this box accepts.",
    "Send fewer pages at a time, or pictures with fewer pixels.",
)
DOCUMENT_TOO_MANY_PAGES = user_mistake(
    "document_too_many_pages",
    "The document has more pages than one fax may have.",
    "Choose some of its pages, or send it in several faxes.",
)
DOCUMENT_PAGES_INVALID = user_mistake(
    "document_pages_invalid",
    "The choice of pages cannot be understood.",
    "Write page numbers and ranges with commas between, such as 1-5,2.",
)
DOCUMENT_PAGES_MISSING = user_mistake(
    "document_pages_missing",
    "A chosen page is not in the document.",
    "Check the page numbers against the document.",
)
DOCUMENT_TIMED_OUT = user_mistake(
    "document_timed_out",
    "The document took too long to turn into fax pages.",
    "Print it as a new PDF, or send fewer pages at a time.",
)
DOCUMENT_MEMORY = user_mistake(
    "document_memory",
    "The document needs more memory than this box allows for one fax.",
    "Print it as a new PDF, or send pictures with fewer pixels.",
)
DOCUMENT_WORKER_DIED = declare(
    "document_worker_died",
    Side.OURS,
    Retry.NO,
    "The program that turns documents into fax pages failed on this document.",
    "Print the document as a new PDF and send that; report the file to the makers if you may share it.",
)
DOCUMENT_WORKER_KILLED = declare(
    "document_worker_killed",
    Side.OURS,
    Retry.NO,
    "The machine ended the program that makes fax pages each time it tried, as it does when memory runs out.",
    "Send fewer pages or smaller pictures at a time; if small documents end so, too, the box needs more "
    "memory, or something else on it takes too much.",
)
DOCUMENT_STORAGE = declare(
    "document_storage",
    Side.OURS,
    Retry.LATER,
    "The fax pages could not be written to the box's storage.",
    "Make room on the box's storage or check it, then send again.",
)
COVER_TEMPLATE_WRONG = user_mistake(
    "cover_template_wrong",
    "The cover page's template cannot be used.",
    "Open the template's preview, and correct what it reports.",
)
OFFICE_NOT_INSTALLED = user_mistake(
    "office_not_installed",
    "Word, Excel, PowerPoint, OpenDocument and RTF files cannot be faxed by this box as it is.",
    "Save the document as a PDF and send that; or have LibreOffice installed on the box: "
    "apt install libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui.",
)
POSTSCRIPT_NOT_INSTALLED = user_mistake(
    "postscript_not_installed",
    "PostScript files cannot be faxed by this box as it is.",
    "Send the document as a PDF; or have Ghostscript installed on the box: apt install ghostscript.",
)
XPS_NOT_INSTALLED = user_mistake(
    "xps_not_installed",
    "XPS files cannot be faxed by this box as it is.",
    "Print the document as a PDF and send that; or have libgxps installed on the box: "
    "apt install libgxps-utils.",
)
DJVU_NOT_INSTALLED = user_mistake(
    "djvu_not_installed",
    "DjVu files cannot be faxed by this box as it is.",
    "Save the document as a PDF and send that; or have DjVuLibre installed on the box: "
    "apt install djvulibre-bin.",
)
WINMAIL_EMPTY = user_mistake(
    "winmail_empty",
    "The file is a winmail.dat, Outlook's own packing of an e-mail, and nothing in it can be faxed.",
    "Have the e-mail sent again as plain text or HTML, with the document as a PDF.",
)
DOCUMENT_GONE = declare(
    "document_gone",
    Side.OURS,
    Retry.NO,
    "The document's file is no longer on the box.",
    "Send the document again.",
)
EMAIL_DAMAGED = user_mistake(
    "email_damaged",
    "The e-mail cannot be read: its parts do not fit together.",
    "Send it again from another program, with the document as a PDF.",
)
