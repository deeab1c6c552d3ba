export interface paths {
    "/faxes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List faxes
         * @description Needs the scope `send`.
         */
        get: operations["listFaxes"];
        put?: never;
        /**
         * Hand in a fax
         * @description When this answers, the fax is on disk and will be dealt with. Each recipient gets a fax of its own. A form has its files in parts called `file`, and fields as the JSON has (`cover.subject` for those of the cover). Needs the scope `send`.
         */
        post: operations["createFax"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/faxes/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read one fax with its tries
         * @description Needs the scope `send`.
         */
        get: operations["readFax"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/faxes/{id}/pages/{page}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One page, exactly as it goes over the line
         * @description Needs the scope `send`.
         */
        get: operations["readFaxPage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/faxes/{id}/document": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All pages as a PDF
         * @description Needs the scope `send`.
         */
        get: operations["readFaxDocument"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/faxes/{id}/confirmation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What became of it, as a PDF
         * @description Needs the scope `send`.
         */
        get: operations["readFaxConfirmation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/faxes/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What happened to it
         * @description Needs the scope `send`.
         */
        get: operations["listFaxEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/faxes/{id}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who was told of it
         * @description Needs the scope `send`.
         */
        get: operations["listFaxDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/faxes/{id}/attempts/{number}/trace": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The account of one call, as lines of JSON
         * @description Needs the scope `send`.
         */
        get: operations["readFaxTrace"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/faxes/{id}/attempts/{number}/packets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The packets of one T.38 call, as pcap
         * @description Of which calls they are kept is the setting `storage.packets`. Needs the scope `send`.
         */
        get: operations["readFaxPackets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/faxes/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel it
         * @description A running call is ended within seconds; until then the state stays `sending`. Needs the scope `send`.
         */
        post: operations["cancelFax"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/faxes/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Try a waiting fax now, or at a time
         * @description Needs the scope `send`.
         */
        post: operations["retryFax"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/faxes/{id}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Let a held fax go
         * @description Needs the scope `send`.
         */
        post: operations["releaseFax"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/faxes/{id}/settle": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Decide about a fax whose delivery is unknown
         * @description Needs the scope `send`.
         */
        post: operations["settleFax"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/faxes/{id}/resend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send it again, to the same number or another
         * @description Needs the scope `send`.
         */
        post: operations["resendFax"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/faxes/{id}/trunk-check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What the call of a fax showed about the SIP trunk, in words
         * @description Needs the scope `admin`.
         */
        get: operations["checkTrunk"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/needs-number": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Documents that wait for a number, newest first
         * @description Needs the scope `send`.
         */
        get: operations["listFaxesWithoutNumber"];
        put?: never;
        /**
         * Hand in a document whose number is said later
         * @description It is prepared, waits in the state `needs_number` for a month at most, and is sent when it is given a number. Needs the scope `send`.
         */
        post: operations["createFaxWithoutNumber"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/faxes/{id}/numbers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Say where a document goes that came without a number
         * @description Its pages are made again with the time and, on a cover page, the recipient. Each further recipient gets a fax of its own. Needs the scope `send`.
         */
        post: operations["giveNumbers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/needs-number/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Throw away a document that waits for a number
         * @description Needs the scope `send`.
         */
        delete: operations["deleteFaxWithoutNumber"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/previews": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What you have begun
         * @description Needs the scope `send`.
         */
        get: operations["listPreviews"];
        put?: never;
        /**
         * Make the pages of a fax that is not sent yet
         * @description Answers when the pages are there. `preview_id` of `POST /faxes` sends them as they are. Needs the scope `send`.
         */
        post: operations["createPreview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/previews/{preview}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a preview
         * @description Needs the scope `send`.
         */
        get: operations["readPreview"];
        put?: never;
        post?: never;
        /**
         * Throw it away
         * @description Needs the scope `send`.
         */
        delete: operations["dropPreview"];
        options?: never;
        head?: never;
        /**
         * Other pages, another order or look, another cover page
         * @description Pages are made anew when it changes how they look. Needs the scope `send`.
         */
        patch: operations["changePreview"];
        trace?: never;
    };
    "/previews/{preview}/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * More files, behind those that are there
         * @description Needs the scope `send`.
         */
        post: operations["addToPreview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/previews/{preview}/pages/{page}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One page, exactly as it will go over the line
         * @description Needs the scope `send`.
         */
        get: operations["readPreviewPage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/numbers/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a number means, whether it may be dialled, what is known of it
         * @description Needs the scope `send`.
         */
        get: operations["checkNumber"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/recipients": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whom one may mean: contacts, groups and recent numbers
         * @description Needs the scope `send`.
         */
        get: operations["listRecipients"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/received": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List received faxes; calls that brought no page are not among them
         * @description Needs the scope `receive`.
         */
        get: operations["listReceived"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/received/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read one
         * @description Needs the scope `receive`.
         */
        get: operations["readReceived"];
        put?: never;
        post?: never;
        /**
         * Delete it
         * @description Needs the scope `receive`.
         */
        delete: operations["deleteReceived"];
        options?: never;
        head?: never;
        /**
         * Mark it read, or give it to a user
         * @description Needs the scope `receive`.
         */
        patch: operations["changeReceived"];
        trace?: never;
    };
    "/received/{id}/pages/{page}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One page as a picture
         * @description Needs the scope `receive`.
         */
        get: operations["readReceivedPage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/received/{id}/pdf": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All pages as a PDF
         * @description Needs the scope `receive`.
         */
        get: operations["readReceivedPdf"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/received/{id}/tiff": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All pages as a TIFF of class F
         * @description Needs the scope `receive`.
         */
        get: operations["readReceivedTiff"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/received-bundle": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Several as one PDF, or as a ZIP
         * @description Needs the scope `receive`.
         */
        get: operations["bundleReceived"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/received/{id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What happened to it
         * @description Needs the scope `receive`.
         */
        get: operations["listReceivedEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/received/{id}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who was told of it
         * @description Needs the scope `receive`.
         */
        get: operations["listReceivedDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/received/{id}/trace": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The account of its call, as lines of JSON
         * @description Needs the scope `receive`.
         */
        get: operations["readReceivedTrace"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/received/{id}/packets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The packets of its call, where it was T.38, as pcap
         * @description Needs the scope `receive`.
         */
        get: operations["readReceivedPackets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/practice/receive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Have the practice machine fax to the box
         * @description Only administrators; the fax is marked as `practice` wherever it is shown or told. The setting `practice.enabled` switches the practice line off. Needs the scope `admin`.
         */
        post: operations["practiceReceive"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/received/{id}/forward": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send it on as a fax
         * @description Needs the scope `receive`.
         */
        post: operations["forwardReceived"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/received/{id}/mail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send it by e-mail
         * @description Needs the scope `receive`.
         */
        post: operations["mailReceived"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/received/{id}/print": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Print it on a CUPS printer, the default one when none is named
         * @description Needs the scope `receive`.
         */
        post: operations["printReceived"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/faxes/{id}/forward": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send its pages to somebody else
         * @description Needs the scope `send`.
         */
        post: operations["forwardFax"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/faxes/{id}/mail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send it by e-mail
         * @description Needs the scope `send`.
         */
        post: operations["mailFax"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/faxes/{id}/notes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What people wrote on it, oldest first
         * @description Needs the scope `send`.
         */
        get: operations["listFaxNotes"];
        put?: never;
        /**
         * Write a note on it
         * @description Whoever may see the fax sees its notes. Their words find it, unless the box encrypts what it stores. Needs the scope `send`.
         */
        post: operations["createFaxNote"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/faxes/{id}/notes/{note}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Take a note off
         * @description Its writer and administrators may. Needs the scope `send`.
         */
        delete: operations["deleteFaxNote"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/received/{id}/notes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What people wrote on it, oldest first
         * @description Needs the scope `receive`.
         */
        get: operations["listReceivedNotes"];
        put?: never;
        /**
         * Write a note on it
         * @description Whoever may see the fax sees its notes. Their words find it, unless the box encrypts what it stores. Needs the scope `receive`.
         */
        post: operations["createReceivedNote"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/received/{id}/notes/{note}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Take a note off
         * @description Its writer and administrators may. Needs the scope `receive`.
         */
        delete: operations["deleteReceivedNote"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/faxes/{id}/erase": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Erase a fax that has ended, for good
         * @description Its number, calls, pages and document are overwritten and gone; the journal keeps that there was a fax, whose, when, and that it was erased (`erased_at`). Needs the scope `send`.
         */
        post: operations["eraseFax"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/received/{id}/erase": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Erase a received fax, for good
         * @description Needs the scope `receive`.
         */
        post: operations["eraseReceived"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/erasures": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Erase everything about a number, for good
         * @description Needs the scope `admin`.
         */
        post: operations["eraseNumber"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/backup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The box in one encrypted file
         * @description Settings, phone book, accounts and lists, with their secrets; received faxes by choice. Needs the scope `admin`.
         */
        post: operations["makeBackup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take what a backup holds
         * @description A form with `passphrase` and the file `backup`. Settings, accounts and lists take the place of the box's; received faxes are added. A file that is damaged, cut off or opened with another passphrase changes nothing. Needs the scope `admin`.
         */
        post: operations["restoreBackup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/journal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Every fax, sent and received, as CSV or JSON
         * @description Needs the scope `send` or `receive`, or both for both.
         */
        get: operations["exportJournal"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/documents": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List your documents
         * @description Needs the scope `send`.
         */
        get: operations["listDocuments"];
        put?: never;
        /**
         * Store a document
         * @description Needs the scope `send`.
         */
        post: operations["createDocument"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/documents/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read one
         * @description Needs the scope `send`.
         */
        get: operations["readDocument"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/polling": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the documents on offer
         * @description Needs the scope `admin`.
         */
        get: operations["listOffers"];
        put?: never;
        /**
         * Offer a document to callers that poll
         * @description Whoever calls and asks for this name gets it. Answers when its pages are made. Needs the scope `admin`.
         */
        post: operations["createOffer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/polling/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read one
         * @description Needs the scope `admin`.
         */
        get: operations["readOffer"];
        put?: never;
        post?: never;
        /**
         * Take it back
         * @description Needs the scope `admin`.
         */
        delete: operations["deleteOffer"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/polling/{id}/document": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Its pages as a PDF
         * @description Needs the scope `admin`.
         */
        get: operations["readOfferDocument"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/contacts/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The phone book as one file
         * @description Needs the scope `send`.
         */
        get: operations["exportContacts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/contacts/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take people from a file into the phone book
         * @description A form with a file of vCards (2.1, 3.0, 4.0) or CSV. Without `plan` nothing is changed: the answer says what would be, and names it `plan`. The same file with that name is imported as it was shown; when the phone book has changed meanwhile, it is refused. Fields that the file leaves empty stay as they are. Whoever has the number (in any spelling) or the name of somebody else is a duplicate, only taken when `lines` names them. Needs the scope `send`.
         */
        post: operations["importContacts"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/rules/trial": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What the rules would do with a call
         * @description Judged by what judges real calls. When the call would be refused, no route is looked at. Needs the scope `admin`.
         */
        get: operations["tryCall"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/routes/order": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The order in which rules for received faxes are looked at
         * @description Needs the scope `admin`.
         */
        post: operations["orderRoutes"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/line-settings/order": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * The order in which lines are looked at
         * @description Needs the scope `admin`.
         */
        post: operations["orderLines"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/contacts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List every contact
         * @description Needs the scope `send`.
         */
        get: operations["listContacts"];
        put?: never;
        /**
         * Add a contact
         * @description Needs the scope `send`.
         */
        post: operations["createContact"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/contacts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a contact
         * @description Needs the scope `send`.
         */
        get: operations["readContact"];
        put?: never;
        post?: never;
        /**
         * Delete a contact
         * @description Needs the scope `send`.
         */
        delete: operations["deleteContact"];
        options?: never;
        head?: never;
        /**
         * Change a contact
         * @description Needs the scope `send`.
         */
        patch: operations["changeContact"];
        trace?: never;
    };
    "/groups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List every group of contacts
         * @description Needs the scope `send`.
         */
        get: operations["listGroups"];
        put?: never;
        /**
         * Add a group of contacts
         * @description Needs the scope `send`.
         */
        post: operations["createGroup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/groups/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a group of contacts
         * @description Needs the scope `send`.
         */
        get: operations["readGroup"];
        put?: never;
        post?: never;
        /**
         * Delete a group of contacts
         * @description Needs the scope `send`.
         */
        delete: operations["deleteGroup"];
        options?: never;
        head?: never;
        /**
         * Change a group of contacts
         * @description Needs the scope `send`.
         */
        patch: operations["changeGroup"];
        trace?: never;
    };
    "/covers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List every cover template
         * @description Needs the scope `send`.
         */
        get: operations["listCoverTemplates"];
        put?: never;
        /**
         * Add a cover template
         * @description Needs the scope `admin`.
         */
        post: operations["createCoverTemplate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/covers/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a cover template
         * @description Needs the scope `send`.
         */
        get: operations["readCoverTemplate"];
        put?: never;
        post?: never;
        /**
         * Delete a cover template
         * @description Needs the scope `admin`.
         */
        delete: operations["deleteCoverTemplate"];
        options?: never;
        head?: never;
        /**
         * Change a cover template
         * @description Needs the scope `admin`.
         */
        patch: operations["changeCoverTemplate"];
        trace?: never;
    };
    "/line-settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List every line's settings
         * @description Needs the scope `admin`.
         */
        get: operations["listLineSettings"];
        put?: never;
        /**
         * Add a line's settings
         * @description Needs the scope `admin`.
         */
        post: operations["createLineSettings"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/line-settings/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a line's settings
         * @description Needs the scope `admin`.
         */
        get: operations["readLineSettings"];
        put?: never;
        post?: never;
        /**
         * Delete a line's settings
         * @description Needs the scope `admin`.
         */
        delete: operations["deleteLineSettings"];
        options?: never;
        head?: never;
        /**
         * Change a line's settings
         * @description Needs the scope `admin`.
         */
        patch: operations["changeLineSettings"];
        trace?: never;
    };
    "/routes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List every rule for received faxes
         * @description Needs the scope `admin`.
         */
        get: operations["listRoutes"];
        put?: never;
        /**
         * Add a rule for received faxes
         * @description Needs the scope `admin`.
         */
        post: operations["createRoute"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/routes/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a rule for received faxes
         * @description Needs the scope `admin`.
         */
        get: operations["readRoute"];
        put?: never;
        post?: never;
        /**
         * Delete a rule for received faxes
         * @description Needs the scope `admin`.
         */
        delete: operations["deleteRoute"];
        options?: never;
        head?: never;
        /**
         * Change a rule for received faxes
         * @description Needs the scope `admin`.
         */
        patch: operations["changeRoute"];
        trace?: never;
    };
    "/favourite-printers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List every printer of a favourite
         * @description Needs the scope `admin`.
         */
        get: operations["listFavouritePrinters"];
        put?: never;
        /**
         * Add a printer of a favourite
         * @description Needs the scope `admin`.
         */
        post: operations["createFavouritePrinter"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/favourite-printers/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a printer of a favourite
         * @description Needs the scope `admin`.
         */
        get: operations["readFavouritePrinter"];
        put?: never;
        post?: never;
        /**
         * Delete a printer of a favourite
         * @description Needs the scope `admin`.
         */
        delete: operations["deleteFavouritePrinter"];
        options?: never;
        head?: never;
        /**
         * Change a printer of a favourite
         * @description Needs the scope `admin`.
         */
        patch: operations["changeFavouritePrinter"];
        trace?: never;
    };
    "/junk-rules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List every rule against junk calls
         * @description Needs the scope `admin`.
         */
        get: operations["listJunkRules"];
        put?: never;
        /**
         * Add a rule against junk calls
         * @description Needs the scope `admin`.
         */
        post: operations["createJunkRule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/junk-rules/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a rule against junk calls
         * @description Needs the scope `admin`.
         */
        get: operations["readJunkRule"];
        put?: never;
        post?: never;
        /**
         * Delete a rule against junk calls
         * @description Needs the scope `admin`.
         */
        delete: operations["deleteJunkRule"];
        options?: never;
        head?: never;
        /**
         * Change a rule against junk calls
         * @description Needs the scope `admin`.
         */
        patch: operations["changeJunkRule"];
        trace?: never;
    };
    "/covers/{id}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How a cover template looks, with samples for its fields
         * @description Needs the scope `send`.
         */
        get: operations["previewStoredCover"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/covers/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * How a cover page will look, exactly as it goes over the line
         * @description Needs the scope `send`.
         */
        post: operations["previewCover"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in with name and password
         * @description The token is used like a key's, until it expires.
         */
        post: operations["signIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/setup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make the first administrator with the set-up code */
        post: operations["setUp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who the key or sign-in stands for */
        get: operations["readSelf"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Change what is your own to choose */
        patch: operations["changeSelf"];
        trace?: never;
    };
    "/me/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change your own password
         * @description Ends every sign-in with the old one, and answers a new one.
         */
        post: operations["changeOwnPassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where you are signed in */
        get: operations["listOwnSessions"];
        put?: never;
        post?: never;
        /** Sign out everywhere else */
        delete: operations["endOtherSessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/sessions/{session}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Sign out in one place */
        delete: operations["endSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/app": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** From now on sign-ins need a code of the app, too */
        put: operations["useApp"];
        /**
         * A secret for an authenticator app (TOTP, RFC 6238)
         * @description Nothing is kept until the secret comes back with a code.
         */
        post: operations["newAppSecret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/me/app/drop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sign in with the password alone again */
        post: operations["dropApp"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List users
         * @description Needs the scope `admin`.
         */
        get: operations["listUsers"];
        put?: never;
        /**
         * Add a user
         * @description Needs the scope `admin`.
         */
        post: operations["createUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a user
         * @description Needs the scope `admin`.
         */
        get: operations["readUser"];
        put?: never;
        post?: never;
        /**
         * Delete a user
         * @description Needs the scope `admin`.
         */
        delete: operations["deleteUser"];
        options?: never;
        head?: never;
        /**
         * Change a user
         * @description Needs the scope `admin`.
         */
        patch: operations["changeUser"];
        trace?: never;
    };
    "/users/{id}/app": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * A user who lost the app signs in without
         * @description Needs the scope `admin`.
         */
        delete: operations["dropAppOf"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{id}/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Sign a user out everywhere
         * @description Needs the scope `admin`.
         */
        delete: operations["endSessionsOf"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List keys
         * @description Needs the scope `admin`.
         */
        get: operations["listKeys"];
        put?: never;
        /**
         * Make a key
         * @description Needs the scope `admin`.
         */
        post: operations["createKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a key
         * @description Needs the scope `admin`.
         */
        get: operations["readKey"];
        put?: never;
        post?: never;
        /**
         * Take a key out of use for good
         * @description Needs the scope `admin`.
         */
        delete: operations["deleteKey"];
        options?: never;
        head?: never;
        /**
         * Change a key
         * @description Needs the scope `admin`.
         */
        patch: operations["changeKey"];
        trace?: never;
    };
    "/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Webhooks, e-mails and the rest that were to be made, with each try
         * @description Needs the scope `send` or `receive`.
         */
        get: operations["listDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/deliveries/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One delivery
         * @description Needs the scope `send` or `receive`.
         */
        get: operations["readDelivery"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/deliveries/{id}/again": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make it once more, at once, whatever became of it
         * @description A webhook has the same `delivery` as before, and the fax as it is now. Needs the scope `send` or `receive`.
         */
        post: operations["repeatDelivery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a test to a webhook now
         * @description One of `url`, `key_id`, `route_id`. It gets the event `test`, in the box's own style. Needs the scope `admin`.
         */
        post: operations["testWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How e-mail is
         * @description Needs the scope `admin`.
         */
        get: operations["readMail"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mail/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a test e-mail with the settings as they are
         * @description Answers when the mail server has taken it; what went wrong is named. Needs the scope `admin`.
         */
        post: operations["testMail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/mail/collect": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Look into the mailbox now
         * @description Needs the scope `admin`.
         */
        post: operations["collectMail"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether the box works; needs no key
         * @description 503 when it is failing.
         */
        get: operations["readHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How the box is, in full */
        get: operations["readStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Figures for Prometheus
         * @description Needs the scope `monitor`.
         */
        get: operations["readMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/lines": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The lines, in the order they are tried */
        get: operations["listLines"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What happens, live
         * @description Server-sent events: the kind is the event's name, its data is an `Event` as JSON.
         */
        get: operations["streamEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/destinations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What was learned about numbers
         * @description Needs the scope `admin`.
         */
        get: operations["listDestinations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/destinations/{destination}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What was learned about one number
         * @description Needs the scope `admin`.
         */
        get: operations["readDestination"];
        put?: never;
        post?: never;
        /**
         * Forget what was learned about a number, quarantine included
         * @description Needs the scope `admin`.
         */
        delete: operations["forgetDestination"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who saw, sent and changed what
         * @description Needs the scope `admin`.
         */
        get: operations["listAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/causes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The table of causes; needs no key */
        get: operations["listCauses"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/causes/{code}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One row of it */
        get: operations["readCause"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All settings; secrets are masked
         * @description Needs the scope `admin`.
         */
        get: operations["readSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/settings/station": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The settings `station`
         * @description Needs the scope `admin`.
         */
        get: operations["readStationSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change settings of `station`
         * @description Needs the scope `admin`.
         */
        patch: operations["changeStationSettings"];
        trace?: never;
    };
    "/settings/numbers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The settings `numbers`
         * @description Needs the scope `admin`.
         */
        get: operations["readNumbersSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change settings of `numbers`
         * @description Needs the scope `admin`.
         */
        patch: operations["changeNumbersSettings"];
        trace?: never;
    };
    "/settings/sending": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The settings `sending`
         * @description Needs the scope `admin`.
         */
        get: operations["readSendingSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change settings of `sending`
         * @description Needs the scope `admin`.
         */
        patch: operations["changeSendingSettings"];
        trace?: never;
    };
    "/settings/storage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The settings `storage`
         * @description Needs the scope `admin`.
         */
        get: operations["readStorageSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change settings of `storage`
         * @description Needs the scope `admin`.
         */
        patch: operations["changeStorageSettings"];
        trace?: never;
    };
    "/settings/sip": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The settings `sip`
         * @description Needs the scope `admin`.
         */
        get: operations["readSipSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change settings of `sip`
         * @description Needs the scope `admin`.
         */
        patch: operations["changeSipSettings"];
        trace?: never;
    };
    "/settings/practice": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The settings `practice`
         * @description Needs the scope `admin`.
         */
        get: operations["readPracticeSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change settings of `practice`
         * @description Needs the scope `admin`.
         */
        patch: operations["changePracticeSettings"];
        trace?: never;
    };
    "/settings/http": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The settings `http`
         * @description Needs the scope `admin`.
         */
        get: operations["readHttpSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change settings of `http`
         * @description Needs the scope `admin`.
         */
        patch: operations["changeHttpSettings"];
        trace?: never;
    };
    "/settings/api": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The settings `api`
         * @description Needs the scope `admin`.
         */
        get: operations["readApiSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change settings of `api`
         * @description Needs the scope `admin`.
         */
        patch: operations["changeApiSettings"];
        trace?: never;
    };
    "/settings/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The settings `deliveries`
         * @description Needs the scope `admin`.
         */
        get: operations["readDeliveriesSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change settings of `deliveries`
         * @description Needs the scope `admin`.
         */
        patch: operations["changeDeliveriesSettings"];
        trace?: never;
    };
    "/settings/reading": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The settings `reading`
         * @description Needs the scope `admin`.
         */
        get: operations["readReadingSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change settings of `reading`
         * @description Needs the scope `admin`.
         */
        patch: operations["changeReadingSettings"];
        trace?: never;
    };
    "/settings/mail_out": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The settings `mail_out`
         * @description Needs the scope `admin`.
         */
        get: operations["readMailOutSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change settings of `mail_out`
         * @description Needs the scope `admin`.
         */
        patch: operations["changeMailOutSettings"];
        trace?: never;
    };
    "/settings/mail_in": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The settings `mail_in`
         * @description Needs the scope `admin`.
         */
        get: operations["readMailInSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change settings of `mail_in`
         * @description Needs the scope `admin`.
         */
        patch: operations["changeMailInSettings"];
        trace?: never;
    };
    "/settings/panel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The settings `panel`
         * @description Needs the scope `admin`.
         */
        get: operations["readPanelSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change settings of `panel`
         * @description Needs the scope `admin`.
         */
        patch: operations["changePanelSettings"];
        trace?: never;
    };
    "/settings/printing": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The settings `printing`
         * @description Needs the scope `admin`.
         */
        get: operations["readPrintingSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change settings of `printing`
         * @description Needs the scope `admin`.
         */
        patch: operations["changePrintingSettings"];
        trace?: never;
    };
    "/settings/scans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The settings `scans`
         * @description Needs the scope `admin`.
         */
        get: operations["readScansSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change settings of `scans`
         * @description Needs the scope `admin`.
         */
        patch: operations["changeScansSettings"];
        trace?: never;
    };
    "/settings/paper": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The settings `paper`
         * @description Needs the scope `admin`.
         */
        get: operations["readPaperSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change settings of `paper`
         * @description Needs the scope `admin`.
         */
        patch: operations["changePaperSettings"];
        trace?: never;
    };
    "/settings/ipp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The settings `ipp`
         * @description Needs the scope `admin`.
         */
        get: operations["readIppSettings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change settings of `ipp`
         * @description Needs the scope `admin`.
         */
        patch: operations["changeIppSettings"];
        trace?: never;
    };
    "/doctor": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Look at everything that the box needs, and say what to do
         * @description Takes some seconds: names are resolved, the package manager is asked. Needs the scope `admin`.
         */
        get: operations["examineBox"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/doctor/bundle": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The same for somebody who helps, as a ZIP file
         * @description Findings, versions, settings and the log: no secrets, no faxes, numbers down to their last two digits. Needs the scope `admin`.
         */
        get: operations["getSupportBundle"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/certificate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The certificate of the pages and interfaces
         * @description Needs the scope `admin`.
         */
        get: operations["readCertificate"];
        /**
         * Hand in a certificate and its key
         * @description In use within seconds. The key is never given out again. Needs the scope `admin`.
         */
        put: operations["giveCertificate"];
        /**
         * Make a key and a certificate that nobody else has signed
         * @description In use within seconds. Needs the scope `admin`.
         */
        post: operations["makeCertificate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/statistics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Faxes, pages and time on the line of the last days
         * @description By day and hour of the box's own clock. Faxes to send count when they have ended. Needs the scope `admin`.
         */
        get: operations["readStatistics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/hardware-test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How far the hardware test is
         * @description Needs the scope `admin`.
         */
        get: operations["showHardwareTest"];
        put?: never;
        /**
         * Try the whole box, part by part
         * @description One at a time. Without `person`, parts that somebody must look at are skipped. Needs the scope `admin`.
         */
        post: operations["startHardwareTest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/hardware-test/answer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Answer the question of the test that is under way
         * @description Needs the scope `admin`.
         */
        post: operations["answerHardwareTest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/hardware-test/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End the test that is under way
         * @description Needs the scope `admin`.
         */
        post: operations["stopHardwareTest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/hardware-test/report": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The signed report of the last test
         * @description Needs the scope `admin`.
         */
        get: operations["readHardwareReport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/update": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How far the last update is
         * @description Needs the scope `admin`.
         */
        get: operations["showUpdate"];
        put?: never;
        /**
         * Install a new version
         * @description The content is the file that ends in `.raucb`, as it is. One whose signature fits is installed beside the running version, and the box starts anew with it. When it does not answer then, the version before comes back by itself. Needs the scope `admin`.
         */
        post: operations["takeUpdate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export interface webhooks {
    "fax.queued": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The box tells `fax.queued` */
        post: operations["onFaxQueued"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "fax.held": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The box tells `fax.held` */
        post: operations["onFaxHeld"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "fax.waiting": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The box tells `fax.waiting` */
        post: operations["onFaxWaiting"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "fax.started": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The box tells `fax.started` */
        post: operations["onFaxStarted"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "fax.page": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The box tells `fax.page` */
        post: operations["onFaxPage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "fax.delivered": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The box tells `fax.delivered` */
        post: operations["onFaxDelivered"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "fax.failed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The box tells `fax.failed` */
        post: operations["onFaxFailed"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "fax.cancelled": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The box tells `fax.cancelled` */
        post: operations["onFaxCancelled"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "fax.unknown": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The box tells `fax.unknown` */
        post: operations["onFaxUnknown"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "fax.received": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The box tells `fax.received` */
        post: operations["onFaxReceived"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export interface components {
    schemas: {
        /** @description A row of the table of causes. */
        Cause: {
            /** @description stable */
            code: string;
            /**
             * @description whose side it was on
             * @enum {string}
             */
            side: "none" | "ours" | "theirs" | "line" | "user";
            sentence: string;
            advice: string;
            /**
             * @description what the box does next with a fax that ended so
             * @enum {string}
             */
            retry: "no" | "soon" | "step_down" | "other_line" | "later" | "ask";
        };
        /** @description What of its document a fax does not show, or shows otherwise. */
        Remark: {
            /** @description stable */
            code: string;
            /**
             * @description lost: not on the pages; noted: perhaps otherwise
             * @enum {string}
             */
            weight: "lost" | "noted";
            sentence: string;
            advice: string;
            /** @description of the fax; null: the document as a whole */
            page: number | null;
            /** @description as the sender calls it */
            file: string;
            detail: string;
        };
        Fax: {
            id: number;
            uuid: string;
            /** @description faxes that were handed in together have the same */
            submission_id: number;
            to: {
                /** @description as it is dialled; empty: it needs one */
                number: string;
                /** @description as it was written */
                given: string;
                name: string;
                company: string;
            };
            /** @enum {string} */
            state: "held" | "preparing" | "needs_number" | "waiting" | "sending" | "delivered" | "failed" | "cancelled" | "unknown";
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            scheduled_at: string;
            /**
             * Format: date-time
             * @description when it waits: until then
             */
            next_try_at: string | null;
            /**
             * Format: date-time
             * @description no try begins after this
             */
            expires_at: string;
            /** Format: date-time */
            ended_at: string | null;
            tries: number;
            /** @description null until they are prepared */
            pages: number | null;
            /** @description the far machine has these */
            pages_confirmed: number;
            /** @description of the last try */
            line: string;
            /** @description what the far machine calls itself */
            remote_id: string;
            /** @description all tries together */
            seconds_on_line: number;
            result: components["schemas"]["Cause"] | null;
            cancel_requested: boolean;
            /** @description what of its document the pages do not show, or show otherwise */
            remarks: components["schemas"]["Remark"][];
            /**
             * Format: date-time
             * @description its content was erased for good
             */
            erased_at: string | null;
            /** @description whose it is */
            owner: string;
            /** @description the key that was used */
            key: string;
            /** @description the door it came through */
            origin: string;
            /** @enum {string} */
            priority: "high" | "normal" | "low";
            /** @description a word of yours, to filter by */
            tag: string;
            /** @description the fax that this one repeats */
            resent_from: number | null;
            /** @description kept, and given back as it came */
            metadata: Record<string, never>;
            /** @description told with a POST when the fax ends */
            callback_url: string;
            /** @description the person it came from */
            from_user: string;
            /** @description the computer it came from */
            from_computer: string;
        };
        Attempt: {
            number: number;
            line: string;
            line_kind: string;
            /** Format: date-time */
            started_at: string;
            /** Format: date-time */
            ended_at: string | null;
            /** @description this try began with this page */
            first_page: number;
            /** @description in this try */
            pages_confirmed: number;
            result: components["schemas"]["Cause"] | null;
            seconds: number;
            /** @description there is an account of the call */
            trace: boolean;
            /** @description what was agreed and measured */
            facts: Record<string, never>;
        };
        FaxInFull: {
            id: number;
            uuid: string;
            /** @description faxes that were handed in together have the same */
            submission_id: number;
            to: {
                /** @description as it is dialled; empty: it needs one */
                number: string;
                /** @description as it was written */
                given: string;
                name: string;
                company: string;
            };
            /** @enum {string} */
            state: "held" | "preparing" | "needs_number" | "waiting" | "sending" | "delivered" | "failed" | "cancelled" | "unknown";
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            scheduled_at: string;
            /**
             * Format: date-time
             * @description when it waits: until then
             */
            next_try_at: string | null;
            /**
             * Format: date-time
             * @description no try begins after this
             */
            expires_at: string;
            /** Format: date-time */
            ended_at: string | null;
            tries: number;
            /** @description null until they are prepared */
            pages: number | null;
            /** @description the far machine has these */
            pages_confirmed: number;
            /** @description of the last try */
            line: string;
            /** @description what the far machine calls itself */
            remote_id: string;
            /** @description all tries together */
            seconds_on_line: number;
            result: components["schemas"]["Cause"] | null;
            cancel_requested: boolean;
            /** @description what of its document the pages do not show, or show otherwise */
            remarks: components["schemas"]["Remark"][];
            /**
             * Format: date-time
             * @description its content was erased for good
             */
            erased_at: string | null;
            /** @description whose it is */
            owner: string;
            /** @description the key that was used */
            key: string;
            /** @description the door it came through */
            origin: string;
            /** @enum {string} */
            priority: "high" | "normal" | "low";
            /** @description a word of yours, to filter by */
            tag: string;
            /** @description the fax that this one repeats */
            resent_from: number | null;
            /** @description kept, and given back as it came */
            metadata: Record<string, never>;
            /** @description told with a POST when the fax ends */
            callback_url: string;
            /** @description the person it came from */
            from_user: string;
            /** @description the computer it came from */
            from_computer: string;
            attempts: components["schemas"]["Attempt"][];
        };
        ReceivedFax: {
            id: number;
            uuid: string;
            /** @description whose it is; empty: everyone's */
            owner: string;
            line: string;
            line_kind: string;
            caller: string;
            caller_name: string;
            dialled: string;
            /** @description what the sender's machine calls itself */
            tsi: string;
            sub_address: string;
            /** @enum {string} */
            state: "receiving" | "complete" | "partial";
            /** Format: date-time */
            started_at: string;
            /** Format: date-time */
            ended_at: string | null;
            pages: number;
            /** @description damaged on the line */
            bad_rows: number;
            result: components["schemas"]["Cause"] | null;
            read: boolean;
            /** @description what was agreed and measured */
            facts: Record<string, never>;
            /** @description from the practice machine: nobody outside sent it */
            practice: boolean;
            /**
             * Format: date-time
             * @description erased then, by a rule or its owner's wish
             */
            keep_until: string | null;
        };
        ReceivedFaxInFull: {
            id: number;
            uuid: string;
            /** @description whose it is; empty: everyone's */
            owner: string;
            line: string;
            line_kind: string;
            caller: string;
            caller_name: string;
            dialled: string;
            /** @description what the sender's machine calls itself */
            tsi: string;
            sub_address: string;
            /** @enum {string} */
            state: "receiving" | "complete" | "partial";
            /** Format: date-time */
            started_at: string;
            /** Format: date-time */
            ended_at: string | null;
            pages: number;
            /** @description damaged on the line */
            bad_rows: number;
            result: components["schemas"]["Cause"] | null;
            read: boolean;
            /** @description what was agreed and measured */
            facts: Record<string, never>;
            /** @description from the practice machine: nobody outside sent it */
            practice: boolean;
            /**
             * Format: date-time
             * @description erased then, by a rule or its owner's wish
             */
            keep_until: string | null;
            page_list: {
                number: number;
                width: number;
                rows: number;
                resolution: string;
                bad_rows: number;
                longest_bad_run: number;
            }[];
        };
        Event: {
            /** @description null: it passes and is not kept */
            id: number | null;
            /** Format: date-time */
            at: string;
            kind: string;
            fax_id: number | null;
            data: Record<string, never>;
        };
        Document: {
            id: number;
            uuid: string;
            owner: string;
            name: string;
            description: string;
            /** Format: date-time */
            created_at: string;
            files: {
                name: string;
                media_type: string;
                octets: number;
            }[];
        };
        Delivery: {
            id: number;
            /** @enum {string} */
            kind: "webhook" | "email" | "folder" | "printer";
            /** @description whom it is for: an address, a folder; a password in it is not shown */
            target: string;
            /** @description the fax that it is about */
            fax_id: number | null;
            /** @description what it tells of, in the words of webhooks */
            event: string | null;
            owner: string;
            /** @enum {string} */
            state: "pending" | "done" | "failed" | "dropped";
            tries: {
                number: number;
                /** Format: date-time */
                at: string;
                ok: boolean;
                detail: string;
            }[];
            /** Format: date-time */
            next_try_at: string | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            ended_at: string | null;
            last_error: string;
        };
        Line: {
            /** @description of its settings; null for the practice line */
            id: number | null;
            name: string;
            /** @enum {string} */
            kind: "t38" | "g711" | "modem" | "practice";
            /** @description a call may be placed now, or when a running one ends */
            usable: boolean;
            calls: number;
            capacity: number;
            /** @description how it is */
            sentence: string;
            last_error: string;
        };
        AuditEntry: {
            id: number;
            /** Format: date-time */
            at: string;
            who: string;
            action: string;
            object: string;
            address: string;
            detail: string;
        };
        Destination: {
            number: string;
            /** @description dead calls in a row */
            failures: number;
            /** Format: date-time */
            quarantined_until: string | null;
            /** @description what was learned */
            profile: Record<string, never>;
            /** Format: date-time */
            updated_at: string;
        };
        Problem: {
            /** @description where the box explains this code */
            type: string;
            /** @description what happened, as a sentence */
            title: string;
            status: number;
            /** @description stable code: a row of the table of causes */
            code: string;
            /** @description what to do, as a sentence */
            advice: string;
            /** @description what exactly, this time */
            detail?: string;
            /** @description wrong parts */
            errors?: {
                path: string;
                problem: string;
            }[];
        };
        WebhookDocument: {
            name: string;
            media_type: string;
            /** @description null: larger than the box's owner allows, or no longer there */
            content: string | null;
        };
        FaxWebhook: {
            /** @enum {string} */
            event: "fax.queued" | "fax.held" | "fax.waiting" | "fax.started" | "fax.page" | "fax.delivered" | "fax.failed" | "fax.cancelled" | "fax.unknown";
            /** @description the same in each try of one delivery */
            delivery: number;
            /** Format: date-time */
            at: string;
            fax: components["schemas"]["FaxInFull"];
            /** @description of the event fax.page: so many are confirmed */
            page?: number;
            document?: components["schemas"]["WebhookDocument"];
        };
        ReceivedFaxWebhook: {
            /** @enum {string} */
            event: "fax.received";
            /** @description the same in each try of one delivery */
            delivery: number;
            /** Format: date-time */
            at: string;
            fax: components["schemas"]["ReceivedFaxInFull"];
            /** @description of the event fax.page: so many are confirmed */
            page?: number;
            document?: components["schemas"]["WebhookDocument"];
        };
        Certificate: {
            /** @description host names and addresses that it is for */
            names: string[];
            issuer: string;
            /** @description nobody but itself has signed it */
            own: boolean;
            /** Format: date-time */
            ends_at: string;
            /** @description SHA-256 of the certificate */
            fingerprint: string;
        };
        /** @description A PDF, TIFF, PNG, JPEG or text file: either `content` or `url`. */
        NewFile: {
            name?: string;
            /** @description only noted: the content decides */
            media_type?: string;
            /** @description the file */
            content?: string;
            /** @description http or https; fetched within limits, never from the local network */
            url?: string;
            /** @description these pages, in this order; all when empty */
            pages?: string[];
        };
        Cover: {
            /** @description name of one of the box's templates, or standard, the box's own page; left out: the one that your faxes usually have */
            template?: string;
            subject?: string;
            from_name?: string;
            to_name?: string;
            to_company?: string;
            message?: string;
        };
        /** @description Either `files`, `document_id` or `preview_id`. */
        NewFax: {
            /** @description each gets a fax of its own */
            to: (string | {
                number: string;
                /** @description for the cover page and reports */
                name?: string;
                /** @description for the cover page */
                company?: string;
            } | {
                /** @description id in the phone book */
                contact: number;
            } | {
                /** @description id of a group of contacts */
                group: number;
            })[];
            /** @description left out: your usual one; null: none */
            cover?: components["schemas"]["Cover"] | null;
            /** @enum {string} */
            quality?: "standard" | "fine" | "superfine" | "300" | "400";
            /** @description text of the header line; empty: none; left out: the box's own */
            header?: string;
            /** @description the number sent as TSI */
            station_id?: string;
            /** @description caller id to show, where the line allows it */
            caller_number?: string;
            caller_name?: string;
            /** @description show no number of ours, neither as caller id nor as TSI */
            withhold_number?: boolean;
            /** @description SUB, for the far machine's own routing */
            sub_address?: string;
            /** @description PWD, where the far machine wants one */
            password?: string;
            /** @description error correction mode */
            ecm?: boolean;
            /** @description bits a second */
            max_bit_rate?: number;
            /** @description only these lines, in this order */
            lines?: string[];
            max_tries?: number;
            /** @description seconds to wait after each failed call, in place of the box's timetables; empty: one call only */
            retry_waits?: number[];
            /**
             * @description after a break: the rest, or all pages again
             * @enum {string}
             */
            resume?: "rest" | "all";
            /**
             * @description when cut off before the last confirmation
             * @enum {string}
             */
            unknown_rule?: "ask" | "resend" | "assume_delivered";
            /**
             * @description how grey becomes black and white
             * @enum {string}
             */
            treatment?: "auto" | "text" | "photo";
            /** @description lighter below 0, darker above */
            darkness?: number;
            /**
             * @description when the pages do not show all of the document
             * @enum {string}
             */
            when_lost?: "send" | "hold" | "refuse";
            /**
             * Format: date-time
             * @description not before this time
             */
            send_at?: string;
            /** @description how long it may be tried, from that time */
            lifetime_hours?: number;
            /** @enum {string} */
            priority?: "high" | "normal" | "low";
            /** @description a word of yours, to filter by */
            tag?: string;
            /** @description kept, and given back as it came */
            metadata?: Record<string, never>;
            /** @description told with a POST when the fax ends */
            callback_url?: string;
            /** @description the person it came from */
            from_user?: string;
            /** @description the computer it came from */
            from_computer?: string;
            /** @description what the callback URL is told of; left out: how the fax ended */
            callback_events?: ("queued" | "held" | "waiting" | "started" | "page" | "delivered" | "failed" | "cancelled" | "unknown")[];
            /** @description what the callback URL is told of the end has the fax as PDF in it */
            callback_pdf?: boolean;
            /** @description only make its pages; they wait until it is released */
            hold?: boolean;
            /** @description sent one after the other as one fax */
            files?: components["schemas"]["NewFile"][];
            /** @description a document that was stored before, instead of files */
            document_id?: number;
            /** @description pages that were made and seen before, instead of files */
            preview_id?: string;
        };
        /** @description Either `files` or `document_id`. */
        NewFaxWithoutNumber: {
            /** @description left out: your usual one; null: none */
            cover?: components["schemas"]["Cover"] | null;
            /** @enum {string} */
            quality?: "standard" | "fine" | "superfine" | "300" | "400";
            /** @description text of the header line; empty: none; left out: the box's own */
            header?: string;
            /** @description the number sent as TSI */
            station_id?: string;
            /** @description caller id to show, where the line allows it */
            caller_number?: string;
            caller_name?: string;
            /** @description show no number of ours, neither as caller id nor as TSI */
            withhold_number?: boolean;
            /** @description SUB, for the far machine's own routing */
            sub_address?: string;
            /** @description PWD, where the far machine wants one */
            password?: string;
            /** @description error correction mode */
            ecm?: boolean;
            /** @description bits a second */
            max_bit_rate?: number;
            /** @description only these lines, in this order */
            lines?: string[];
            max_tries?: number;
            /** @description seconds to wait after each failed call, in place of the box's timetables; empty: one call only */
            retry_waits?: number[];
            /**
             * @description after a break: the rest, or all pages again
             * @enum {string}
             */
            resume?: "rest" | "all";
            /**
             * @description when cut off before the last confirmation
             * @enum {string}
             */
            unknown_rule?: "ask" | "resend" | "assume_delivered";
            /**
             * @description how grey becomes black and white
             * @enum {string}
             */
            treatment?: "auto" | "text" | "photo";
            /** @description lighter below 0, darker above */
            darkness?: number;
            /**
             * @description when the pages do not show all of the document
             * @enum {string}
             */
            when_lost?: "send" | "hold" | "refuse";
            /** @description how long it may be tried, from that time */
            lifetime_hours?: number;
            /** @enum {string} */
            priority?: "high" | "normal" | "low";
            /** @description a word of yours, to filter by */
            tag?: string;
            /** @description kept, and given back as it came */
            metadata?: Record<string, never>;
            /** @description told with a POST when the fax ends */
            callback_url?: string;
            /** @description the person it came from */
            from_user?: string;
            /** @description the computer it came from */
            from_computer?: string;
            /** @description what the callback URL is told of; left out: how the fax ended */
            callback_events?: ("queued" | "held" | "waiting" | "started" | "page" | "delivered" | "failed" | "cancelled" | "unknown")[];
            /** @description what the callback URL is told of the end has the fax as PDF in it */
            callback_pdf?: boolean;
            /** @description sent one after the other as one fax */
            files?: components["schemas"]["NewFile"][];
            /** @description a document that was stored before, instead of files */
            document_id?: number;
        };
        /** @description Where a document goes that came without a number. */
        NewNumbers: {
            /** @description each gets a fax of its own */
            to: (string | {
                number: string;
                /** @description for the cover page and reports */
                name?: string;
                /** @description for the cover page */
                company?: string;
            } | {
                /** @description id in the phone book */
                contact: number;
            } | {
                /** @description id of a group of contacts */
                group: number;
            })[];
            /**
             * Format: date-time
             * @description not before this time
             */
            send_at?: string;
        };
        NewFaxForm: {
            to: string[];
            file?: Blob[];
            /** @enum {string} */
            quality?: "standard" | "fine" | "superfine" | "300" | "400";
            /** @description text of the header line; empty: none; left out: the box's own */
            header?: string;
            /** @description the number sent as TSI */
            station_id?: string;
            /** @description caller id to show, where the line allows it */
            caller_number?: string;
            caller_name?: string;
            /** @description show no number of ours, neither as caller id nor as TSI */
            withhold_number?: boolean;
            /** @description SUB, for the far machine's own routing */
            sub_address?: string;
            /** @description PWD, where the far machine wants one */
            password?: string;
            /** @description error correction mode */
            ecm?: boolean;
            /** @description bits a second */
            max_bit_rate?: number;
            /** @description only these lines, in this order */
            lines?: string[];
            max_tries?: number;
            /** @description seconds to wait after each failed call, in place of the box's timetables; empty: one call only */
            retry_waits?: number[];
            /**
             * @description after a break: the rest, or all pages again
             * @enum {string}
             */
            resume?: "rest" | "all";
            /**
             * @description when cut off before the last confirmation
             * @enum {string}
             */
            unknown_rule?: "ask" | "resend" | "assume_delivered";
            /**
             * @description how grey becomes black and white
             * @enum {string}
             */
            treatment?: "auto" | "text" | "photo";
            /** @description lighter below 0, darker above */
            darkness?: number;
            /**
             * @description when the pages do not show all of the document
             * @enum {string}
             */
            when_lost?: "send" | "hold" | "refuse";
            /**
             * Format: date-time
             * @description not before this time
             */
            send_at?: string;
            /** @description how long it may be tried, from that time */
            lifetime_hours?: number;
            /** @enum {string} */
            priority?: "high" | "normal" | "low";
            /** @description a word of yours, to filter by */
            tag?: string;
            /** @description told with a POST when the fax ends */
            callback_url?: string;
            /** @description the person it came from */
            from_user?: string;
            /** @description the computer it came from */
            from_computer?: string;
            /** @description what the callback URL is told of; left out: how the fax ended */
            callback_events?: ("queued" | "held" | "waiting" | "started" | "page" | "delivered" | "failed" | "cancelled" | "unknown")[];
            /** @description what the callback URL is told of the end has the fax as PDF in it */
            callback_pdf?: boolean;
            /** @description only make its pages; they wait until it is released */
            hold?: boolean;
            "cover.template"?: string;
            "cover.subject"?: string;
            "cover.from_name"?: string;
            "cover.to_name"?: string;
            "cover.to_company"?: string;
            "cover.message"?: string;
        };
        NewFaxWithoutNumberForm: {
            file?: Blob[];
            /** @enum {string} */
            quality?: "standard" | "fine" | "superfine" | "300" | "400";
            /** @description text of the header line; empty: none; left out: the box's own */
            header?: string;
            /** @description the number sent as TSI */
            station_id?: string;
            /** @description caller id to show, where the line allows it */
            caller_number?: string;
            caller_name?: string;
            /** @description show no number of ours, neither as caller id nor as TSI */
            withhold_number?: boolean;
            /** @description SUB, for the far machine's own routing */
            sub_address?: string;
            /** @description PWD, where the far machine wants one */
            password?: string;
            /** @description error correction mode */
            ecm?: boolean;
            /** @description bits a second */
            max_bit_rate?: number;
            /** @description only these lines, in this order */
            lines?: string[];
            max_tries?: number;
            /** @description seconds to wait after each failed call, in place of the box's timetables; empty: one call only */
            retry_waits?: number[];
            /**
             * @description after a break: the rest, or all pages again
             * @enum {string}
             */
            resume?: "rest" | "all";
            /**
             * @description when cut off before the last confirmation
             * @enum {string}
             */
            unknown_rule?: "ask" | "resend" | "assume_delivered";
            /**
             * @description how grey becomes black and white
             * @enum {string}
             */
            treatment?: "auto" | "text" | "photo";
            /** @description lighter below 0, darker above */
            darkness?: number;
            /**
             * @description when the pages do not show all of the document
             * @enum {string}
             */
            when_lost?: "send" | "hold" | "refuse";
            /** @description how long it may be tried, from that time */
            lifetime_hours?: number;
            /** @enum {string} */
            priority?: "high" | "normal" | "low";
            /** @description a word of yours, to filter by */
            tag?: string;
            /** @description told with a POST when the fax ends */
            callback_url?: string;
            /** @description the person it came from */
            from_user?: string;
            /** @description the computer it came from */
            from_computer?: string;
            /** @description what the callback URL is told of; left out: how the fax ended */
            callback_events?: ("queued" | "held" | "waiting" | "started" | "page" | "delivered" | "failed" | "cancelled" | "unknown")[];
            /** @description what the callback URL is told of the end has the fax as PDF in it */
            callback_pdf?: boolean;
            "cover.template"?: string;
            "cover.subject"?: string;
            "cover.from_name"?: string;
            "cover.to_name"?: string;
            "cover.to_company"?: string;
            "cover.message"?: string;
        };
        Submitted: {
            submission_id: number;
            uuid: string;
            /** @description this request came before; these are the faxes it made then */
            repeated: boolean;
            faxes: components["schemas"]["Fax"][];
        };
        CoverPreview: {
            /** @description a template's name, or standard; left out: your usual one */
            template?: string;
            /** @description a template that is not stored yet, instead */
            html?: string;
            to_number?: string;
            subject?: string;
            from_name?: string;
            to_name?: string;
            to_company?: string;
            message?: string;
        };
        Contact: {
            id: number;
            /** @description fax number */
            number: string;
            /** @description given name */
            first_name: string;
            /** @description family name */
            last_name: string;
            /** @description company or department */
            company: string;
            /** @description e-mail address */
            email: string;
            /** @description for people only */
            notes: string;
            /** @description user it belongs to; empty: everyone */
            owner: string;
        };
        NewContact: {
            /** @description fax number */
            number: string;
            /**
             * @description given name
             * @default
             */
            first_name: string;
            /**
             * @description family name
             * @default
             */
            last_name: string;
            /**
             * @description company or department
             * @default
             */
            company: string;
            /**
             * @description e-mail address
             * @default
             */
            email: string;
            /**
             * @description for people only
             * @default
             */
            notes: string;
            /**
             * @description user it belongs to; empty: everyone
             * @default
             */
            owner: string;
        };
        ContactChange: {
            /** @description fax number */
            number?: string;
            /**
             * @description given name
             * @default
             */
            first_name: string;
            /**
             * @description family name
             * @default
             */
            last_name: string;
            /**
             * @description company or department
             * @default
             */
            company: string;
            /**
             * @description e-mail address
             * @default
             */
            email: string;
            /**
             * @description for people only
             * @default
             */
            notes: string;
            /**
             * @description user it belongs to; empty: everyone
             * @default
             */
            owner: string;
        };
        Group: {
            id: number;
            /** @description name of the group */
            name: string;
            /** @description ids of contacts */
            contact_ids: number[];
            /** @description user it belongs to; empty: everyone */
            owner: string;
        };
        NewGroup: {
            /** @description name of the group */
            name: string;
            /**
             * @description ids of contacts
             * @default []
             */
            contact_ids: number[];
            /**
             * @description user it belongs to; empty: everyone
             * @default
             */
            owner: string;
        };
        GroupChange: {
            /** @description name of the group */
            name?: string;
            /**
             * @description ids of contacts
             * @default []
             */
            contact_ids: number[];
            /**
             * @description user it belongs to; empty: everyone
             * @default
             */
            owner: string;
        };
        CoverTemplate: {
            id: number;
            /** @description name of the template; not standard, which is the box's own page */
            name: string;
            /** @description the page: simple HTML with fields such as {{subject}}; empty: the box's own page */
            html: string;
        };
        NewCoverTemplate: {
            /** @description name of the template; not standard, which is the box's own page */
            name: string;
            /**
             * @description the page: simple HTML with fields such as {{subject}}; empty: the box's own page
             * @default
             */
            html: string;
        };
        CoverTemplateChange: {
            /** @description name of the template; not standard, which is the box's own page */
            name?: string;
            /**
             * @description the page: simple HTML with fields such as {{subject}}; empty: the box's own page
             * @default
             */
            html: string;
        };
        LineSettings: {
            id: number;
            /** @enum {string} */
            type: "sip";
            /** @description name of the line */
            name: string;
            /** @description in use */
            enabled: boolean;
            /** @description lines are tried in this order, smaller first */
            position: number;
            /** @description place calls on this line */
            send: boolean;
            /** @description answer calls on this line */
            receive: boolean;
            /** @description only numbers that begin so go over this line; empty: all */
            allow: string[];
            /** @description numbers that begin so never go over this line */
            deny: string[];
            /** @description caller id on this line */
            caller_number: string;
            /** @description country the line is in, digits only, such as 49 */
            country_code: string;
            /** @description area code without its 0, for local numbers */
            area_code: string;
            /** @description dialled for the + of other countries */
            international_prefix: string;
            /** @description dialled before area codes */
            national_prefix: string;
            /** @description the trunk's host, or host:port; without a port DNS SRV is asked */
            server: string;
            /**
             * @description udp, tcp or tls
             * @enum {string}
             */
            transport: "udp" | "tcp" | "tls";
            /** @description sign in at the trunk when there is a user name */
            register: boolean;
            /** @description a registration is renewed within so many seconds */
            register_expires_s: number;
            /** @description user name of the account */
            username: string;
            /** @description user name for signing in, when it is another */
            auth_username: string;
            /** @description password of the account */
            password: string;
            /** @description host or host:port that everything goes through */
            outbound_proxy: string;
            /** @description check the trunk's certificate */
            verify_tls: boolean;
            /** @description file with the authorities that may have signed it, PEM; empty: the system's */
            ca_file: string;
            /** @description caller name on this trunk */
            caller_name: string;
            /** @description the trunk wants the user name in From: it stands there and nowhere else */
            from_user_is_account: boolean;
            /** @description domain of our own address, if not the server's */
            from_domain: string;
            /**
             * @description the header that says who calls, beside From
             * @enum {string}
             */
            identity: "none" | "asserted" | "preferred";
            /**
             * @description the form in which the trunk wants numbers
             * @enum {string}
             */
            form: "e164_plus" | "e164" | "international" | "national" | "as_dialled";
            /** @description dialled before every number */
            outside_prefix: string;
            /** @description addresses, networks or names that may call, besides the server */
            peers: string[];
            /** @description our address as the trunk sees it; empty: our own */
            public_address: string;
            /** @description ask a STUN server for our address */
            use_stun: boolean;
            /** @description a sign of life that keeps a router's way open goes out so often, s; 0: none */
            keep_alive_s: number;
            /** @description without registration: a server that said nothing for so long is asked (OPTIONS), s; 0: never */
            ask_every_s: number;
            /** @description calls at once */
            calls_at_once: number;
            /** @description a session is refreshed within so many seconds */
            session_s: number;
            /** @description the shortest such time that the other side may ask for, s; one above session_s is taken as that */
            session_min_s: number;
            /**
             * @description T.38, audio (G.711), or T.38 with audio to fall back on
             * @enum {string}
             */
            media: "both" | "t38" | "g711";
            /** @description ask for T.38 so long after the answer to our call, s; 0: leave it to the other side */
            t38_calling_s: number;
            /** @description the same for calls that come in, s */
            t38_answering_s: number;
            /** @description an offer of T.38 keeps the audio line with port 0, for servers that want it */
            keep_audio_line: boolean;
            /** @description T.38: version that is offered */
            t38_version: number;
            /** @description T.38: highest bit rate that is offered, bit/s */
            max_bit_rate: number;
            /**
             * @description T.38: how packets are protected
             * @enum {string}
             */
            error_correction: "none" | "redundancy" | "fec";
            /** @description T.38: earlier packets repeated in each */
            redundancy: number;
        } | {
            id: number;
            /** @enum {string} */
            type: "modem";
            /** @description name of the line */
            name: string;
            /** @description in use */
            enabled: boolean;
            /** @description lines are tried in this order, smaller first */
            position: number;
            /** @description place calls on this line */
            send: boolean;
            /** @description answer calls on this line */
            receive: boolean;
            /** @description only numbers that begin so go over this line; empty: all */
            allow: string[];
            /** @description numbers that begin so never go over this line */
            deny: string[];
            /** @description caller id on this line */
            caller_number: string;
            /** @description country the line is in, digits only, such as 49 */
            country_code: string;
            /** @description area code without its 0, for local numbers */
            area_code: string;
            /** @description dialled for the + of other countries */
            international_prefix: string;
            /** @description dialled before area codes */
            national_prefix: string;
            /** @description dialled before every number; a comma is a pause, W waits for dial tone */
            outside_prefix: string;
            /** @description dialled before a number that is called without showing ours; empty: as is usual there */
            withhold_code: string;
            /** @description its port, such as /dev/ttyACM0; empty: any that is found */
            device: string;
            /** @description answer on this ring; 2 lets the caller's number arrive */
            rings: number;
            /** @description answer only these distinctive rings, as the modem names them (A, B, …); empty: any */
            ring_kinds: string[];
            /** @description dial by pulses */
            pulse: boolean;
            /** @description do not wait for a dial tone */
            blind: boolean;
            /** @description bit/s between the box and the modem; none: as is known of the modem */
            modem_speed: number | null;
            /**
             * @description how it holds back the bytes of a page; auto: as is known of the modem
             * @enum {string}
             */
            modem_flow: "auto" | "rts/cts" | "none";
            /** @description what it does differently, laid over what is known of it, such as training_ms=400 (docs/modems.md has all) */
            modem_quirks: string[];
        };
        NewLineSettings: {
            /**
             * @description stays as it was made
             * @enum {string}
             */
            type: "sip" | "modem";
            /** @description name of the line */
            name: string;
            /**
             * @description in use
             * @default true
             */
            enabled: boolean;
            /**
             * @description lines are tried in this order, smaller first
             * @default 100
             */
            position: number;
            /**
             * @description place calls on this line
             * @default true
             */
            send: boolean;
            /**
             * @description answer calls on this line
             * @default true
             */
            receive: boolean;
            /**
             * @description only numbers that begin so go over this line; empty: all
             * @default []
             */
            allow: string[];
            /**
             * @description numbers that begin so never go over this line
             * @default []
             */
            deny: string[];
            /**
             * @description caller id on this line
             * @default
             */
            caller_number: string;
            /**
             * @description country the line is in, digits only, such as 49
             * @default
             */
            country_code: string;
            /**
             * @description area code without its 0, for local numbers
             * @default
             */
            area_code: string;
            /**
             * @description dialled for the + of other countries
             * @default 00
             */
            international_prefix: string;
            /**
             * @description dialled before area codes
             * @default 0
             */
            national_prefix: string;
            /** @description sip: the trunk's host, or host:port; without a port DNS SRV is asked */
            server?: string;
            /**
             * @description sip: udp, tcp or tls
             * @default udp
             * @enum {string}
             */
            transport: "udp" | "tcp" | "tls";
            /**
             * @description sip: sign in at the trunk when there is a user name
             * @default true
             */
            register: boolean;
            /**
             * @description sip: a registration is renewed within so many seconds
             * @default 300
             */
            register_expires_s: number;
            /**
             * @description sip: user name of the account
             * @default
             */
            username: string;
            /**
             * @description sip: user name for signing in, when it is another
             * @default
             */
            auth_username: string;
            /** @description sip: password of the account */
            password?: string;
            /**
             * @description sip: host or host:port that everything goes through
             * @default
             */
            outbound_proxy: string;
            /**
             * @description sip: check the trunk's certificate
             * @default true
             */
            verify_tls: boolean;
            /**
             * @description sip: file with the authorities that may have signed it, PEM; empty: the system's
             * @default
             */
            ca_file: string;
            /**
             * @description sip: caller name on this trunk
             * @default
             */
            caller_name: string;
            /**
             * @description sip: the trunk wants the user name in From: it stands there and nowhere else
             * @default false
             */
            from_user_is_account: boolean;
            /**
             * @description sip: domain of our own address, if not the server's
             * @default
             */
            from_domain: string;
            /**
             * @description sip: the header that says who calls, beside From
             * @default none
             * @enum {string}
             */
            identity: "none" | "asserted" | "preferred";
            /**
             * @description sip: the form in which the trunk wants numbers
             * @default e164_plus
             * @enum {string}
             */
            form: "e164_plus" | "e164" | "international" | "national" | "as_dialled";
            outside_prefix?: string;
            /**
             * @description sip: addresses, networks or names that may call, besides the server
             * @default []
             */
            peers: string[];
            /**
             * @description sip: our address as the trunk sees it; empty: our own
             * @default
             */
            public_address: string;
            /**
             * @description sip: ask a STUN server for our address
             * @default false
             */
            use_stun: boolean;
            /**
             * @description sip: a sign of life that keeps a router's way open goes out so often, s; 0: none
             * @default 25
             */
            keep_alive_s: number;
            /**
             * @description sip: without registration: a server that said nothing for so long is asked (OPTIONS), s; 0: never
             * @default 60
             */
            ask_every_s: number;
            /**
             * @description sip: calls at once
             * @default 2
             */
            calls_at_once: number;
            /**
             * @description sip: a session is refreshed within so many seconds
             * @default 1800
             */
            session_s: number;
            /**
             * @description sip: the shortest such time that the other side may ask for, s; one above session_s is taken as that
             * @default 90
             */
            session_min_s: number;
            /**
             * @description sip: T.38, audio (G.711), or T.38 with audio to fall back on
             * @default both
             * @enum {string}
             */
            media: "both" | "t38" | "g711";
            /**
             * @description sip: ask for T.38 so long after the answer to our call, s; 0: leave it to the other side
             * @default 6
             */
            t38_calling_s: number;
            /**
             * @description sip: the same for calls that come in, s
             * @default 2
             */
            t38_answering_s: number;
            /**
             * @description sip: an offer of T.38 keeps the audio line with port 0, for servers that want it
             * @default false
             */
            keep_audio_line: boolean;
            /**
             * @description sip: T.38: version that is offered
             * @default 0
             */
            t38_version: number;
            /**
             * @description sip: T.38: highest bit rate that is offered, bit/s
             * @default 14400
             */
            max_bit_rate: number;
            /**
             * @description sip: T.38: how packets are protected
             * @default redundancy
             * @enum {string}
             */
            error_correction: "none" | "redundancy" | "fec";
            /**
             * @description sip: T.38: earlier packets repeated in each
             * @default 3
             */
            redundancy: number;
            /**
             * @description modem: dialled before a number that is called without showing ours; empty: as is usual there
             * @default
             */
            withhold_code: string;
            /**
             * @description modem: its port, such as /dev/ttyACM0; empty: any that is found
             * @default
             */
            device: string;
            /**
             * @description modem: answer on this ring; 2 lets the caller's number arrive
             * @default 2
             */
            rings: number;
            /**
             * @description modem: answer only these distinctive rings, as the modem names them (A, B, …); empty: any
             * @default []
             */
            ring_kinds: string[];
            /**
             * @description modem: dial by pulses
             * @default false
             */
            pulse: boolean;
            /**
             * @description modem: do not wait for a dial tone
             * @default false
             */
            blind: boolean;
            /**
             * @description modem: bit/s between the box and the modem; none: as is known of the modem
             * @default null
             */
            modem_speed: number | null;
            /**
             * @description modem: how it holds back the bytes of a page; auto: as is known of the modem
             * @default auto
             * @enum {string}
             */
            modem_flow: "auto" | "rts/cts" | "none";
            /**
             * @description modem: what it does differently, laid over what is known of it, such as training_ms=400 (docs/modems.md has all)
             * @default []
             */
            modem_quirks: string[];
        };
        LineSettingsChange: {
            /**
             * @description stays as it was made
             * @enum {string}
             */
            type?: "sip" | "modem";
            /** @description name of the line */
            name?: string;
            /**
             * @description in use
             * @default true
             */
            enabled: boolean;
            /**
             * @description lines are tried in this order, smaller first
             * @default 100
             */
            position: number;
            /**
             * @description place calls on this line
             * @default true
             */
            send: boolean;
            /**
             * @description answer calls on this line
             * @default true
             */
            receive: boolean;
            /**
             * @description only numbers that begin so go over this line; empty: all
             * @default []
             */
            allow: string[];
            /**
             * @description numbers that begin so never go over this line
             * @default []
             */
            deny: string[];
            /**
             * @description caller id on this line
             * @default
             */
            caller_number: string;
            /**
             * @description country the line is in, digits only, such as 49
             * @default
             */
            country_code: string;
            /**
             * @description area code without its 0, for local numbers
             * @default
             */
            area_code: string;
            /**
             * @description dialled for the + of other countries
             * @default 00
             */
            international_prefix: string;
            /**
             * @description dialled before area codes
             * @default 0
             */
            national_prefix: string;
            /** @description sip: the trunk's host, or host:port; without a port DNS SRV is asked */
            server?: string;
            /**
             * @description sip: udp, tcp or tls
             * @default udp
             * @enum {string}
             */
            transport: "udp" | "tcp" | "tls";
            /**
             * @description sip: sign in at the trunk when there is a user name
             * @default true
             */
            register: boolean;
            /**
             * @description sip: a registration is renewed within so many seconds
             * @default 300
             */
            register_expires_s: number;
            /**
             * @description sip: user name of the account
             * @default
             */
            username: string;
            /**
             * @description sip: user name for signing in, when it is another
             * @default
             */
            auth_username: string;
            /** @description sip: password of the account */
            password?: string;
            /**
             * @description sip: host or host:port that everything goes through
             * @default
             */
            outbound_proxy: string;
            /**
             * @description sip: check the trunk's certificate
             * @default true
             */
            verify_tls: boolean;
            /**
             * @description sip: file with the authorities that may have signed it, PEM; empty: the system's
             * @default
             */
            ca_file: string;
            /**
             * @description sip: caller name on this trunk
             * @default
             */
            caller_name: string;
            /**
             * @description sip: the trunk wants the user name in From: it stands there and nowhere else
             * @default false
             */
            from_user_is_account: boolean;
            /**
             * @description sip: domain of our own address, if not the server's
             * @default
             */
            from_domain: string;
            /**
             * @description sip: the header that says who calls, beside From
             * @default none
             * @enum {string}
             */
            identity: "none" | "asserted" | "preferred";
            /**
             * @description sip: the form in which the trunk wants numbers
             * @default e164_plus
             * @enum {string}
             */
            form: "e164_plus" | "e164" | "international" | "national" | "as_dialled";
            outside_prefix?: string;
            /**
             * @description sip: addresses, networks or names that may call, besides the server
             * @default []
             */
            peers: string[];
            /**
             * @description sip: our address as the trunk sees it; empty: our own
             * @default
             */
            public_address: string;
            /**
             * @description sip: ask a STUN server for our address
             * @default false
             */
            use_stun: boolean;
            /**
             * @description sip: a sign of life that keeps a router's way open goes out so often, s; 0: none
             * @default 25
             */
            keep_alive_s: number;
            /**
             * @description sip: without registration: a server that said nothing for so long is asked (OPTIONS), s; 0: never
             * @default 60
             */
            ask_every_s: number;
            /**
             * @description sip: calls at once
             * @default 2
             */
            calls_at_once: number;
            /**
             * @description sip: a session is refreshed within so many seconds
             * @default 1800
             */
            session_s: number;
            /**
             * @description sip: the shortest such time that the other side may ask for, s; one above session_s is taken as that
             * @default 90
             */
            session_min_s: number;
            /**
             * @description sip: T.38, audio (G.711), or T.38 with audio to fall back on
             * @default both
             * @enum {string}
             */
            media: "both" | "t38" | "g711";
            /**
             * @description sip: ask for T.38 so long after the answer to our call, s; 0: leave it to the other side
             * @default 6
             */
            t38_calling_s: number;
            /**
             * @description sip: the same for calls that come in, s
             * @default 2
             */
            t38_answering_s: number;
            /**
             * @description sip: an offer of T.38 keeps the audio line with port 0, for servers that want it
             * @default false
             */
            keep_audio_line: boolean;
            /**
             * @description sip: T.38: version that is offered
             * @default 0
             */
            t38_version: number;
            /**
             * @description sip: T.38: highest bit rate that is offered, bit/s
             * @default 14400
             */
            max_bit_rate: number;
            /**
             * @description sip: T.38: how packets are protected
             * @default redundancy
             * @enum {string}
             */
            error_correction: "none" | "redundancy" | "fec";
            /**
             * @description sip: T.38: earlier packets repeated in each
             * @default 3
             */
            redundancy: number;
            /**
             * @description modem: dialled before a number that is called without showing ours; empty: as is usual there
             * @default
             */
            withhold_code: string;
            /**
             * @description modem: its port, such as /dev/ttyACM0; empty: any that is found
             * @default
             */
            device: string;
            /**
             * @description modem: answer on this ring; 2 lets the caller's number arrive
             * @default 2
             */
            rings: number;
            /**
             * @description modem: answer only these distinctive rings, as the modem names them (A, B, …); empty: any
             * @default []
             */
            ring_kinds: string[];
            /**
             * @description modem: dial by pulses
             * @default false
             */
            pulse: boolean;
            /**
             * @description modem: do not wait for a dial tone
             * @default false
             */
            blind: boolean;
            /**
             * @description modem: bit/s between the box and the modem; none: as is known of the modem
             * @default null
             */
            modem_speed: number | null;
            /**
             * @description modem: how it holds back the bytes of a page; auto: as is known of the modem
             * @default auto
             * @enum {string}
             */
            modem_flow: "auto" | "rts/cts" | "none";
            /**
             * @description modem: what it does differently, laid over what is known of it, such as training_ms=400 (docs/modems.md has all)
             * @default []
             */
            modem_quirks: string[];
        };
        Route: {
            id: number;
            /** @description what the route is for */
            name: string;
            /** @description in use */
            enabled: boolean;
            /** @description routes are looked at in this order, smaller first */
            position: number;
            /** @description the number dialled begins so */
            dialled: string[];
            /** @description the caller's number begins so; * for callers without one */
            caller: string[];
            /** @description the station id that the sender gave (TSI) begins so; blanks do not count */
            tsi: string[];
            /** @description the sub-address (SUB) is one of these */
            sub_address: string[];
            /** @description it came in on one of these lines */
            line: string[];
            /** @description gives the fax to this user */
            user: string;
            /** @description sends it to these addresses as PDF */
            emails: string[];
            /** @description tells this address */
            webhook_url: string;
            /** @description in the way of this interface: own, ifax, ictfax */
            webhook_style: string;
            /** @description with the fax as PDF in it, in the box's own style */
            webhook_pdf: boolean;
            /** @description puts it in this folder, which must exist, as PDF */
            folder: string;
            /** @description days after which the fax is erased for good; 0: as the box's settings say */
            keep_days: number;
            /** @description prints it on this CUPS printer */
            printer: string;
            /** @description no further route is looked at */
            last: boolean;
        };
        NewRoute: {
            /** @description what the route is for */
            name: string;
            /**
             * @description in use
             * @default true
             */
            enabled: boolean;
            /**
             * @description routes are looked at in this order, smaller first
             * @default 100
             */
            position: number;
            /**
             * @description the number dialled begins so
             * @default []
             */
            dialled: string[];
            /**
             * @description the caller's number begins so; * for callers without one
             * @default []
             */
            caller: string[];
            /**
             * @description the station id that the sender gave (TSI) begins so; blanks do not count
             * @default []
             */
            tsi: string[];
            /**
             * @description the sub-address (SUB) is one of these
             * @default []
             */
            sub_address: string[];
            /**
             * @description it came in on one of these lines
             * @default []
             */
            line: string[];
            /**
             * @description gives the fax to this user
             * @default
             */
            user: string;
            /**
             * @description sends it to these addresses as PDF
             * @default []
             */
            emails: string[];
            /**
             * @description tells this address
             * @default
             */
            webhook_url: string;
            /**
             * @description in the way of this interface: own, ifax, ictfax
             * @default own
             */
            webhook_style: string;
            /**
             * @description with the fax as PDF in it, in the box's own style
             * @default false
             */
            webhook_pdf: boolean;
            /**
             * @description puts it in this folder, which must exist, as PDF
             * @default
             */
            folder: string;
            /**
             * @description days after which the fax is erased for good; 0: as the box's settings say
             * @default 0
             */
            keep_days: number;
            /**
             * @description prints it on this CUPS printer
             * @default
             */
            printer: string;
            /**
             * @description no further route is looked at
             * @default true
             */
            last: boolean;
        };
        RouteChange: {
            /** @description what the route is for */
            name?: string;
            /**
             * @description in use
             * @default true
             */
            enabled: boolean;
            /**
             * @description routes are looked at in this order, smaller first
             * @default 100
             */
            position: number;
            /**
             * @description the number dialled begins so
             * @default []
             */
            dialled: string[];
            /**
             * @description the caller's number begins so; * for callers without one
             * @default []
             */
            caller: string[];
            /**
             * @description the station id that the sender gave (TSI) begins so; blanks do not count
             * @default []
             */
            tsi: string[];
            /**
             * @description the sub-address (SUB) is one of these
             * @default []
             */
            sub_address: string[];
            /**
             * @description it came in on one of these lines
             * @default []
             */
            line: string[];
            /**
             * @description gives the fax to this user
             * @default
             */
            user: string;
            /**
             * @description sends it to these addresses as PDF
             * @default []
             */
            emails: string[];
            /**
             * @description tells this address
             * @default
             */
            webhook_url: string;
            /**
             * @description in the way of this interface: own, ifax, ictfax
             * @default own
             */
            webhook_style: string;
            /**
             * @description with the fax as PDF in it, in the box's own style
             * @default false
             */
            webhook_pdf: boolean;
            /**
             * @description puts it in this folder, which must exist, as PDF
             * @default
             */
            folder: string;
            /**
             * @description days after which the fax is erased for good; 0: as the box's settings say
             * @default 0
             */
            keep_days: number;
            /**
             * @description prints it on this CUPS printer
             * @default
             */
            printer: string;
            /**
             * @description no further route is looked at
             * @default true
             */
            last: boolean;
        };
        FavouritePrinter: {
            id: number;
            /** @description id of the contact; none: a group */
            contact_id: number | null;
            /** @description id of the group; none: a contact */
            group_id: number | null;
            /** @description what computers call the printer; empty: Fax to … */
            name: string;
        };
        NewFavouritePrinter: {
            /**
             * @description id of the contact; none: a group
             * @default null
             */
            contact_id: number | null;
            /**
             * @description id of the group; none: a contact
             * @default null
             */
            group_id: number | null;
            /**
             * @description what computers call the printer; empty: Fax to …
             * @default
             */
            name: string;
        };
        FavouritePrinterChange: {
            /**
             * @description id of the contact; none: a group
             * @default null
             */
            contact_id: number | null;
            /**
             * @description id of the group; none: a contact
             * @default null
             */
            group_id: number | null;
            /**
             * @description what computers call the printer; empty: Fax to …
             * @default
             */
            name: string;
        };
        JunkRule: {
            id: number;
            /** @description what the rule is for */
            name: string;
            /** @description in use */
            enabled: boolean;
            /** @description the caller's number begins so; * for callers without one */
            caller: string[];
            /** @description the caller's name has this in it */
            caller_name: string;
            /** @description the number dialled begins so */
            dialled: string[];
            /** @description it comes in on one of these lines */
            line: string[];
            /** @description calls that fit are taken whatever other rules say */
            allow: boolean;
        };
        NewJunkRule: {
            /** @description what the rule is for */
            name: string;
            /**
             * @description in use
             * @default true
             */
            enabled: boolean;
            /**
             * @description the caller's number begins so; * for callers without one
             * @default []
             */
            caller: string[];
            /**
             * @description the caller's name has this in it
             * @default
             */
            caller_name: string;
            /**
             * @description the number dialled begins so
             * @default []
             */
            dialled: string[];
            /**
             * @description it comes in on one of these lines
             * @default []
             */
            line: string[];
            /**
             * @description calls that fit are taken whatever other rules say
             * @default false
             */
            allow: boolean;
        };
        JunkRuleChange: {
            /** @description what the rule is for */
            name?: string;
            /**
             * @description in use
             * @default true
             */
            enabled: boolean;
            /**
             * @description the caller's number begins so; * for callers without one
             * @default []
             */
            caller: string[];
            /**
             * @description the caller's name has this in it
             * @default
             */
            caller_name: string;
            /**
             * @description the number dialled begins so
             * @default []
             */
            dialled: string[];
            /**
             * @description it comes in on one of these lines
             * @default []
             */
            line: string[];
            /**
             * @description calls that fit are taken whatever other rules say
             * @default false
             */
            allow: boolean;
        };
        WebhookTest: {
            /** @description the receiver answered 2xx */
            accepted: boolean;
            /** @description what it answered */
            status: number;
            /** @description the beginning of its words */
            said: string;
        };
        Mail: {
            /** @description there is a mail server to send with */
            sends: boolean;
            /** @description there is a mailbox to collect from */
            collects: boolean;
            /**
             * Format: date-time
             * @description when the mailbox was last looked into
             */
            visited_at: string | null;
            /** @description what was wrong then; empty: nothing */
            problem: string;
        };
        Health: {
            /**
             * @description failing: no line works, or the disk is full
             * @enum {string}
             */
            status: "ok" | "warning" | "failing";
            /** @description faxes to send are taken */
            accepting: boolean;
            problem?: components["schemas"]["Cause"];
        };
        Status: {
            /** @enum {string} */
            status: "ok" | "warning" | "failing";
            accepting: boolean;
            /** Format: date-time */
            started_at: string;
            disk: {
                /** @enum {string} */
                room: "plenty" | "low" | "full";
                free_octets: number;
            };
            lines: components["schemas"]["Line"][];
            /** @description not ended yet */
            faxes: {
                held: number;
                preparing: number;
                needs_number: number;
                waiting: number;
                sending: number;
            };
            unread: number;
        };
        StationSection: {
            /** @description the number sent as TSI and CSI: up to 20 digits, +, spaces */
            station_id: string;
            /** @description the sender's name in the header line and on cover pages */
            name: string;
            /** @description print a header line on every page (many countries require it) */
            header: boolean;
            /** @description zone of the times in header lines and reports, such as Europe/Berlin; empty: the system's */
            time_zone: string;
            /** @description caller id shown to those we call, in international form */
            caller_number: string;
            /** @description caller name shown to those we call; never a login name */
            caller_name: string;
            /** @description further numbers of the box, which those who send may show instead */
            further_numbers: string[];
            /** @description answer calls and receive faxes */
            receive: boolean;
        };
        StationChange: {
            /**
             * @description the number sent as TSI and CSI: up to 20 digits, +, spaces
             * @default
             */
            station_id: string;
            /**
             * @description the sender's name in the header line and on cover pages
             * @default
             */
            name: string;
            /**
             * @description print a header line on every page (many countries require it)
             * @default true
             */
            header: boolean;
            /**
             * @description zone of the times in header lines and reports, such as Europe/Berlin; empty: the system's
             * @default
             */
            time_zone: string;
            /**
             * @description caller id shown to those we call, in international form
             * @default
             */
            caller_number: string;
            /**
             * @description caller name shown to those we call; never a login name
             * @default
             */
            caller_name: string;
            /**
             * @description further numbers of the box, which those who send may show instead
             * @default []
             */
            further_numbers: string[];
            /**
             * @description answer calls and receive faxes
             * @default true
             */
            receive: boolean;
        };
        NumbersSection: {
            /** @description country that numbers without a country code belong to: two letters, such as DE; empty: they are dialled as they are written */
            region: string;
            /** @description put before numbers that are dialled without an area code */
            area_code: string;
            /** @description digits that reach the outside line, removed from what people type */
            outside_prefix: string;
            /** @description only numbers that begin so may be dialled, such as +49; empty: all */
            allow: string[];
            /** @description numbers that begin so are never dialled, such as +49900 */
            deny: string[];
            /** @description allow premium-rate numbers */
            premium: boolean;
            /** @description further numbers that are never dialled, besides the country's emergency numbers */
            emergency: string[];
            /** @description regular expression of internal extensions that are dialled as they are, such as [1-8][0-9]{2} */
            internal: string;
            /** @description calls to the outside a day, the box together; 0: no limit */
            daily_calls: number;
            /** @description calls to the outside a day for each user; 0: no limit */
            daily_calls_each: number;
            /** @description calls abroad a day, the box together; 0: no limit */
            daily_abroad: number;
        };
        NumbersChange: {
            /**
             * @description country that numbers without a country code belong to: two letters, such as DE; empty: they are dialled as they are written
             * @default
             */
            region: string;
            /**
             * @description put before numbers that are dialled without an area code
             * @default
             */
            area_code: string;
            /**
             * @description digits that reach the outside line, removed from what people type
             * @default
             */
            outside_prefix: string;
            /**
             * @description only numbers that begin so may be dialled, such as +49; empty: all
             * @default []
             */
            allow: string[];
            /**
             * @description numbers that begin so are never dialled, such as +49900
             * @default []
             */
            deny: string[];
            /**
             * @description allow premium-rate numbers
             * @default false
             */
            premium: boolean;
            /**
             * @description further numbers that are never dialled, besides the country's emergency numbers
             * @default []
             */
            emergency: string[];
            /**
             * @description regular expression of internal extensions that are dialled as they are, such as [1-8][0-9]{2}
             * @default
             */
            internal: string;
            /**
             * @description calls to the outside a day, the box together; 0: no limit
             * @default 500
             */
            daily_calls: number;
            /**
             * @description calls to the outside a day for each user; 0: no limit
             * @default 200
             */
            daily_calls_each: number;
            /**
             * @description calls abroad a day, the box together; 0: no limit
             * @default 50
             */
            daily_abroad: number;
        };
        SendingSection: {
            /**
             * @description resolution when the sender does not say
             * @enum {string}
             */
            quality: "standard" | "fine" | "superfine" | "300" | "400";
            /** @description error correction mode, unless a destination has trouble with it */
            ecm: boolean;
            /** @description bits a second to begin with, unless learned otherwise */
            max_bit_rate: number;
            /** @description calls for one fax at most */
            max_tries: number;
            /** @description waits when the line was busy, s */
            busy: number[];
            /** @description waits when nobody answered, s */
            no_answer: number[];
            /** @description waits after a call that went wrong half-way, s */
            step_down: number[];
            /** @description waits when a line was at fault and all have been tried, s */
            other_line: number[];
            /** @description waits for causes that take a while, s */
            later: number[];
            /**
             * @description after a break: send the rest, or all pages again
             * @enum {string}
             */
            resume: "rest" | "all";
            /**
             * @description what becomes of a fax cut off between its last page and the confirmation
             * @enum {string}
             */
            unknown_rule: "ask" | "resend" | "assume_delivered";
            /**
             * @description what becomes of a fax that does not show all of its document: send, hold for a person, refuse
             * @enum {string}
             */
            when_lost: "send" | "hold" | "refuse";
            /**
             * @description the same for a fax that shows all that is meant to be shown, if perhaps otherwise
             * @enum {string}
             */
            when_noted: "send" | "hold" | "refuse";
            /** @description how long a fax may be tried, hours from its scheduled time */
            lifetime_hours: number;
            /** @description how long to let it ring, s */
            ring_s: number;
            /** @description a call that takes longer is ended, minutes */
            call_limit_minutes: number;
            /** @description after so many dead calls in a row (no such number, no fax) a number is not dialled; 0: never */
            quarantine_after: number;
            /** @description for how many days */
            quarantine_days: number;
            /** @description outgoing calls at once on all lines together */
            calls_at_once: number;
            /** @description remember what worked with each destination */
            learn: boolean;
            /** @description when the far machine says that the last page came badly (RTN), train again and send it once more in the same call; T.30 has the call end, so some machines hang up */
            resend_last_page: boolean;
        };
        SendingChange: {
            /**
             * @description resolution when the sender does not say
             * @default fine
             * @enum {string}
             */
            quality: "standard" | "fine" | "superfine" | "300" | "400";
            /**
             * @description error correction mode, unless a destination has trouble with it
             * @default true
             */
            ecm: boolean;
            /**
             * @description bits a second to begin with, unless learned otherwise
             * @default 14400
             */
            max_bit_rate: number;
            /**
             * @description calls for one fax at most
             * @default 6
             */
            max_tries: number;
            /**
             * @description waits when the line was busy, s
             * @default [
             *       60,
             *       180,
             *       300,
             *       600,
             *       900
             *     ]
             */
            busy: number[];
            /**
             * @description waits when nobody answered, s
             * @default [
             *       300,
             *       900,
             *       1800,
             *       3600
             *     ]
             */
            no_answer: number[];
            /**
             * @description waits after a call that went wrong half-way, s
             * @default [
             *       30,
             *       60,
             *       120,
             *       300
             *     ]
             */
            step_down: number[];
            /**
             * @description waits when a line was at fault and all have been tried, s
             * @default [
             *       5,
             *       60,
             *       300,
             *       900
             *     ]
             */
            other_line: number[];
            /**
             * @description waits for causes that take a while, s
             * @default [
             *       900,
             *       3600,
             *       7200
             *     ]
             */
            later: number[];
            /**
             * @description after a break: send the rest, or all pages again
             * @default rest
             * @enum {string}
             */
            resume: "rest" | "all";
            /**
             * @description what becomes of a fax cut off between its last page and the confirmation
             * @default ask
             * @enum {string}
             */
            unknown_rule: "ask" | "resend" | "assume_delivered";
            /**
             * @description what becomes of a fax that does not show all of its document: send, hold for a person, refuse
             * @default hold
             * @enum {string}
             */
            when_lost: "send" | "hold" | "refuse";
            /**
             * @description the same for a fax that shows all that is meant to be shown, if perhaps otherwise
             * @default send
             * @enum {string}
             */
            when_noted: "send" | "hold" | "refuse";
            /**
             * @description how long a fax may be tried, hours from its scheduled time
             * @default 24
             */
            lifetime_hours: number;
            /**
             * @description how long to let it ring, s
             * @default 60
             */
            ring_s: number;
            /**
             * @description a call that takes longer is ended, minutes
             * @default 90
             */
            call_limit_minutes: number;
            /**
             * @description after so many dead calls in a row (no such number, no fax) a number is not dialled; 0: never
             * @default 5
             */
            quarantine_after: number;
            /**
             * @description for how many days
             * @default 7
             */
            quarantine_days: number;
            /**
             * @description outgoing calls at once on all lines together
             * @default 8
             */
            calls_at_once: number;
            /**
             * @description remember what worked with each destination
             * @default true
             */
            learn: boolean;
            /**
             * @description when the far machine says that the last page came badly (RTN), train again and send it once more in the same call; T.30 has the call end, so some machines hang up
             * @default false
             */
            resend_last_page: boolean;
        };
        StorageSection: {
            /** @description days that sent documents are kept; 0: delete when ended */
            documents_days: number;
            /** @description days that received faxes are kept; 0: until deleted */
            received_days: number;
            /** @description days that the list of faxes is kept */
            journal_days: number;
            /** @description days that call traces are kept */
            traces_days: number;
            /**
             * @description of which T.38 calls the packets are kept, for tshark and its kin; the newest 100 are, each 2 MB at most
             * @enum {string}
             */
            packets: "none" | "failed" | "all";
            /** @description days that the event log is kept */
            events_days: number;
            /** @description room kept free, MB: below it nothing is accepted and calls are not answered */
            reserve_mb: number;
            /** @description below this much free room the box warns, MB */
            warn_mb: number;
            /** @description documents and pages are encrypted on the disk; without their key nobody can read them, nor can you */
            encrypt: boolean;
            /** @description file with the key, outside the data folder; empty: beside it, with .key behind its name */
            key_file: string;
        };
        StorageChange: {
            /**
             * @description days that sent documents are kept; 0: delete when ended
             * @default 30
             */
            documents_days: number;
            /**
             * @description days that received faxes are kept; 0: until deleted
             * @default 0
             */
            received_days: number;
            /**
             * @description days that the list of faxes is kept
             * @default 365
             */
            journal_days: number;
            /**
             * @description days that call traces are kept
             * @default 30
             */
            traces_days: number;
            /**
             * @description of which T.38 calls the packets are kept, for tshark and its kin; the newest 100 are, each 2 MB at most
             * @default failed
             * @enum {string}
             */
            packets: "none" | "failed" | "all";
            /**
             * @description days that the event log is kept
             * @default 30
             */
            events_days: number;
            /**
             * @description room kept free, MB: below it nothing is accepted and calls are not answered
             * @default 200
             */
            reserve_mb: number;
            /**
             * @description below this much free room the box warns, MB
             * @default 500
             */
            warn_mb: number;
            /**
             * @description documents and pages are encrypted on the disk; without their key nobody can read them, nor can you
             * @default false
             */
            encrypt: boolean;
            /**
             * @description file with the key, outside the data folder; empty: beside it, with .key behind its name
             * @default
             */
            key_file: string;
        };
        SipSection: {
            /** @description address to listen on; one of IPv6 (:: is any) makes all of SIP IPv6 */
            bind: string;
            /** @description port for SIP over UDP; none: no UDP */
            udp_port: number | null;
            /** @description port for SIP over TCP; none: no TCP */
            tcp_port: number | null;
            /** @description port for SIP over TLS; none: no TLS */
            tls_port: number | null;
            /** @description file with our certificate for SIP over TLS, PEM; only where the other side wants one */
            tls_certificate: string;
            /** @description file with its key, PEM */
            tls_key: string;
            /** @description first UDP port for faxes and audio */
            media_first: number;
            /** @description last UDP port for faxes and audio */
            media_last: number;
            /** @description IPv4 addresses of name servers that are asked for SIP servers; empty: the system's */
            name_servers: string[];
            /** @description host or host:port of STUN servers */
            stun_servers: string[];
        };
        SipChange: {
            /**
             * @description address to listen on; one of IPv6 (:: is any) makes all of SIP IPv6
             * @default 0.0.0.0
             */
            bind: string;
            /**
             * @description port for SIP over UDP; none: no UDP
             * @default 5060
             */
            udp_port: number | null;
            /**
             * @description port for SIP over TCP; none: no TCP
             * @default null
             */
            tcp_port: number | null;
            /**
             * @description port for SIP over TLS; none: no TLS
             * @default null
             */
            tls_port: number | null;
            /**
             * @description file with our certificate for SIP over TLS, PEM; only where the other side wants one
             * @default
             */
            tls_certificate: string;
            /**
             * @description file with its key, PEM
             * @default
             */
            tls_key: string;
            /**
             * @description first UDP port for faxes and audio
             * @default 4000
             */
            media_first: number;
            /**
             * @description last UDP port for faxes and audio
             * @default 4999
             */
            media_last: number;
            /**
             * @description IPv4 addresses of name servers that are asked for SIP servers; empty: the system's
             * @default []
             */
            name_servers: string[];
            /**
             * @description host or host:port of STUN servers
             * @default []
             */
            stun_servers: string[];
        };
        PracticeSection: {
            /** @description numbers 9990 to 9998 reach the practice machine, and administrators may have it fax to the box; off where nobody tries things out any more */
            enabled: boolean;
            /** @description practice calls at once */
            calls_at_once: number;
            /** @description longest wait between two attempts at a practice number, s; null: as long as for any other number */
            wait_s: number | null;
            /** @description practice calls run so many times faster than real ones */
            speed: number;
        };
        PracticeChange: {
            /**
             * @description numbers 9990 to 9998 reach the practice machine, and administrators may have it fax to the box; off where nobody tries things out any more
             * @default true
             */
            enabled: boolean;
            /**
             * @description practice calls at once
             * @default 4
             */
            calls_at_once: number;
            /**
             * @description longest wait between two attempts at a practice number, s; null: as long as for any other number
             * @default 3
             */
            wait_s: number | null;
            /**
             * @description practice calls run so many times faster than real ones
             * @default 1
             */
            speed: number;
        };
        HttpSection: {
            /** @description file with the certificate and those between it and its root, PEM; empty: no TLS */
            tls_certificate: string;
            /** @description file with its key, PEM, without a password; empty: in the same file */
            tls_key: string;
        };
        HttpChange: {
            /**
             * @description file with the certificate and those between it and its root, PEM; empty: no TLS
             * @default
             */
            tls_certificate: string;
            /**
             * @description file with its key, PEM, without a password; empty: in the same file
             * @default
             */
            tls_key: string;
        };
        ApiSection: {
            /** @description requests an hour for each key; 0: no limit */
            requests_per_hour: number;
            /** @description requests in hand at once for each key */
            requests_at_once: number;
            /** @description requests within one second for each key; 0: no limit */
            burst: number;
            /** @description largest request, MB */
            request_mb: number;
            /** @description files of one fax */
            files_per_fax: number;
            /** @description pages of one fax */
            pages_per_fax: number;
            /** @description recipients of one fax */
            recipients_per_fax: number;
            /** @description longest that fetching a document by URL may take, s */
            fetch_s: number;
            /** @description documents and webhooks may be on the local network */
            private_urls: boolean;
            /** @description how long a sign-in is good, hours */
            session_hours: number;
        };
        ApiChange: {
            /**
             * @description requests an hour for each key; 0: no limit
             * @default 1000
             */
            requests_per_hour: number;
            /**
             * @description requests in hand at once for each key
             * @default 20
             */
            requests_at_once: number;
            /**
             * @description requests within one second for each key; 0: no limit
             * @default 50
             */
            burst: number;
            /**
             * @description largest request, MB
             * @default 20
             */
            request_mb: number;
            /**
             * @description files of one fax
             * @default 20
             */
            files_per_fax: number;
            /**
             * @description pages of one fax
             * @default 200
             */
            pages_per_fax: number;
            /**
             * @description recipients of one fax
             * @default 15
             */
            recipients_per_fax: number;
            /**
             * @description longest that fetching a document by URL may take, s
             * @default 30
             */
            fetch_s: number;
            /**
             * @description documents and webhooks may be on the local network
             * @default false
             */
            private_urls: boolean;
            /**
             * @description how long a sign-in is good, hours
             * @default 12
             */
            session_hours: number;
        };
        DeliveriesSection: {
            /** @description waits after a webhook's failed tries, s */
            webhook_waits: number[];
            /** @description waits after an e-mail's failed tries, s */
            email_waits: number[];
            /** @description waits when a folder could not be written, s */
            folder_waits: number[];
            /** @description waits when a fax could not be printed, s */
            printer_waits: number[];
            /** @description longest that one try of a webhook may take, s */
            webhook_s: number;
            /** @description larger PDFs are left out of webhooks that are to have them, MB */
            webhook_pdf_mb: number;
            /** @description deliveries under way at once */
            at_once: number;
        };
        DeliveriesChange: {
            /**
             * @description waits after a webhook's failed tries, s
             * @default [
             *       300,
             *       600,
             *       1200,
             *       1800,
             *       3600
             *     ]
             */
            webhook_waits: number[];
            /**
             * @description waits after an e-mail's failed tries, s
             * @default [
             *       60,
             *       300,
             *       900,
             *       3600,
             *       14400,
             *       43200
             *     ]
             */
            email_waits: number[];
            /**
             * @description waits when a folder could not be written, s
             * @default [
             *       60,
             *       300,
             *       900,
             *       3600,
             *       14400,
             *       43200
             *     ]
             */
            folder_waits: number[];
            /**
             * @description waits when a fax could not be printed, s
             * @default [
             *       60,
             *       60,
             *       300,
             *       900,
             *       3600,
             *       14400,
             *       43200
             *     ]
             */
            printer_waits: number[];
            /**
             * @description longest that one try of a webhook may take, s
             * @default 20
             */
            webhook_s: number;
            /**
             * @description larger PDFs are left out of webhooks that are to have them, MB
             * @default 10
             */
            webhook_pdf_mb: number;
            /**
             * @description deliveries under way at once
             * @default 4
             */
            at_once: number;
        };
        ReadingSection: {
            /** @description read received faxes in the background (needs Debian's tesseract-ocr) */
            enabled: boolean;
            /** @description languages of their text, as tesseract names them, such as eng+deu */
            languages: string;
        };
        ReadingChange: {
            /**
             * @description read received faxes in the background (needs Debian's tesseract-ocr)
             * @default false
             */
            enabled: boolean;
            /**
             * @description languages of their text, as tesseract names them, such as eng+deu
             * @default eng
             */
            languages: string;
        };
        MailOutSection: {
            /** @description host of the mail server; empty: the box sends no e-mail */
            server: string;
            /** @description its port: 587 with starttls, 465 with tls */
            port: number;
            /**
             * @description starttls, tls, or none
             * @enum {string}
             */
            security: "starttls" | "tls" | "none";
            /** @description check the server's certificate */
            verify_tls: boolean;
            /** @description user name to sign in with; empty: does not sign in */
            username: string;
            /** @description password to sign in with */
            password: string;
            /** @description address that the box's e-mails come from */
            sender: string;
            /** @description name beside that address */
            sender_name: string;
            /**
             * @description tell users by e-mail how their faxes ended; who faxed by e-mail is always told
             * @enum {string}
             */
            results: "never" | "failed" | "always";
            /** @description addresses that get received faxes which no route and no user's address covers */
            received_to: string[];
            /** @description larger PDFs are not attached, the e-mail says where they are, MB */
            attach_mb: number;
        };
        MailOutChange: {
            /**
             * @description host of the mail server; empty: the box sends no e-mail
             * @default
             */
            server: string;
            /**
             * @description its port: 587 with starttls, 465 with tls
             * @default 587
             */
            port: number;
            /**
             * @description starttls, tls, or none
             * @default starttls
             * @enum {string}
             */
            security: "starttls" | "tls" | "none";
            /**
             * @description check the server's certificate
             * @default true
             */
            verify_tls: boolean;
            /**
             * @description user name to sign in with; empty: does not sign in
             * @default
             */
            username: string;
            /** @description password to sign in with */
            password?: string;
            /**
             * @description address that the box's e-mails come from
             * @default
             */
            sender: string;
            /**
             * @description name beside that address
             * @default faxbox
             */
            sender_name: string;
            /**
             * @description tell users by e-mail how their faxes ended; who faxed by e-mail is always told
             * @default failed
             * @enum {string}
             */
            results: "never" | "failed" | "always";
            /**
             * @description addresses that get received faxes which no route and no user's address covers
             * @default []
             */
            received_to: string[];
            /**
             * @description larger PDFs are not attached, the e-mail says where they are, MB
             * @default 15
             */
            attach_mb: number;
        };
        MailInSection: {
            /** @description an e-mail to NUMBER@domain is faxed to NUMBER */
            domain: string;
            /** @description addresses, or @domain, that may send besides the users' own addresses */
            senders: string[];
            /** @description user whose faxes those of such senders are */
            owner: string;
            /** @description the e-mail's text becomes a cover page; no: it becomes pages of its own */
            cover: boolean;
            /**
             * @description an attachment cannot be faxed: refuse the e-mail, or send or hold what is left; its name is told
             * @enum {string}
             */
            bad_attachments: "send" | "hold" | "refuse";
            /** @description largest e-mail, MB */
            message_mb: number;
            /** @description fax numbers in one e-mail */
            recipients: number;
            /** @description take e-mail by SMTP from devices and programs on the local network */
            listen: boolean;
            /** @description address of the interface to listen on */
            listen_bind: string;
            /** @description port to listen on */
            listen_port: number;
            /** @description addresses or networks that may connect, such as 192.168.1.0/24; empty: nobody */
            networks: string[];
            /** @description host of a mailbox to collect from; empty: none */
            imap_server: string;
            /** @description its port: 993 with tls, 143 with starttls */
            imap_port: number;
            /**
             * @description tls, starttls, or none
             * @enum {string}
             */
            imap_security: "starttls" | "tls" | "none";
            /** @description check the server's certificate */
            imap_verify_tls: boolean;
            /** @description user name of the mailbox */
            imap_username: string;
            /** @description password of the mailbox */
            imap_password: string;
            /** @description folder with the e-mails to fax */
            imap_folder: string;
            /** @description folder that e-mails are moved to afterwards; empty: deleted */
            imap_done: string;
            /** @description how often to look, s */
            imap_poll_s: number;
            /** @description name that the mailbox's server gives itself in Authentication-Results; when set, only e-mail which it says passed DMARC is taken, since anybody can write any sender */
            imap_verified_by: string;
        };
        MailInChange: {
            /**
             * @description an e-mail to NUMBER@domain is faxed to NUMBER
             * @default fax.box
             */
            domain: string;
            /**
             * @description addresses, or @domain, that may send besides the users' own addresses
             * @default []
             */
            senders: string[];
            /**
             * @description user whose faxes those of such senders are
             * @default email
             */
            owner: string;
            /**
             * @description the e-mail's text becomes a cover page; no: it becomes pages of its own
             * @default true
             */
            cover: boolean;
            /**
             * @description an attachment cannot be faxed: refuse the e-mail, or send or hold what is left; its name is told
             * @default refuse
             * @enum {string}
             */
            bad_attachments: "send" | "hold" | "refuse";
            /**
             * @description largest e-mail, MB
             * @default 30
             */
            message_mb: number;
            /**
             * @description fax numbers in one e-mail
             * @default 15
             */
            recipients: number;
            /**
             * @description take e-mail by SMTP from devices and programs on the local network
             * @default false
             */
            listen: boolean;
            /**
             * @description address of the interface to listen on
             * @default 0.0.0.0
             */
            listen_bind: string;
            /**
             * @description port to listen on
             * @default 2525
             */
            listen_port: number;
            /**
             * @description addresses or networks that may connect, such as 192.168.1.0/24; empty: nobody
             * @default []
             */
            networks: string[];
            /**
             * @description host of a mailbox to collect from; empty: none
             * @default
             */
            imap_server: string;
            /**
             * @description its port: 993 with tls, 143 with starttls
             * @default 993
             */
            imap_port: number;
            /**
             * @description tls, starttls, or none
             * @default tls
             * @enum {string}
             */
            imap_security: "starttls" | "tls" | "none";
            /**
             * @description check the server's certificate
             * @default true
             */
            imap_verify_tls: boolean;
            /**
             * @description user name of the mailbox
             * @default
             */
            imap_username: string;
            /** @description password of the mailbox */
            imap_password?: string;
            /**
             * @description folder with the e-mails to fax
             * @default INBOX
             */
            imap_folder: string;
            /**
             * @description folder that e-mails are moved to afterwards; empty: deleted
             * @default Faxed
             */
            imap_done: string;
            /**
             * @description how often to look, s
             * @default 60
             */
            imap_poll_s: number;
            /**
             * @description name that the mailbox's server gives itself in Authentication-Results; when set, only e-mail which it says passed DMARC is taken, since anybody can write any sender
             * @default
             */
            imap_verified_by: string;
        };
        PanelSection: {
            /** @description lamp for power and readiness, green */
            power_led: number | null;
            /** @description lamp of each line, in the order of the lines, green */
            line_leds: number[];
            /** @description lamp for sending and receiving, yellow */
            activity_led: number | null;
            /** @description lamp for received faxes that nobody has read, blue */
            inbox_led: number | null;
            /** @description lamp for what needs a person, red */
            fault_led: number | null;
            /** @description a lamp is lit by a high level (pin, resistor, lamp, ground) */
            leds_active_high: boolean;
            /** @description button that cancels what is being sent; held: everything */
            cancel_button: number | null;
            /** @description button that prints or forwards the newest received fax */
            newest_button: number | null;
            /** @description button that sends the last failed fax again */
            retry_button: number | null;
            /** @description button that shuts down when held; held while the box starts: set-up mode */
            power_button: number | null;
            /** @description a button connects its pin to ground */
            buttons_pull_up: boolean;
            /** @description buzzer: one beep when a fax came in, three when one failed */
            buzzer: number | null;
            /**
             * @description small display on the I²C bus (pins 2 and 3)
             * @enum {string}
             */
            display: "none" | "ssd1306";
            /** @description the display's address on the bus */
            display_address: number;
            /** @description the newest-fax button forwards to this number; empty: it prints */
            forward_to: string;
            /** @description the CUPS printer that the newest-fax button prints on; empty: its default */
            printer: string;
        };
        PanelChange: {
            /**
             * @description lamp for power and readiness, green
             * @default 17
             */
            power_led: number | null;
            /**
             * @description lamp of each line, in the order of the lines, green
             * @default [
             *       27,
             *       22
             *     ]
             */
            line_leds: number[];
            /**
             * @description lamp for sending and receiving, yellow
             * @default 23
             */
            activity_led: number | null;
            /**
             * @description lamp for received faxes that nobody has read, blue
             * @default 24
             */
            inbox_led: number | null;
            /**
             * @description lamp for what needs a person, red
             * @default 25
             */
            fault_led: number | null;
            /**
             * @description a lamp is lit by a high level (pin, resistor, lamp, ground)
             * @default true
             */
            leds_active_high: boolean;
            /**
             * @description button that cancels what is being sent; held: everything
             * @default 5
             */
            cancel_button: number | null;
            /**
             * @description button that prints or forwards the newest received fax
             * @default 6
             */
            newest_button: number | null;
            /**
             * @description button that sends the last failed fax again
             * @default 13
             */
            retry_button: number | null;
            /**
             * @description button that shuts down when held; held while the box starts: set-up mode
             * @default 19
             */
            power_button: number | null;
            /**
             * @description a button connects its pin to ground
             * @default true
             */
            buttons_pull_up: boolean;
            /**
             * @description buzzer: one beep when a fax came in, three when one failed
             * @default null
             */
            buzzer: number | null;
            /**
             * @description small display on the I²C bus (pins 2 and 3)
             * @default none
             * @enum {string}
             */
            display: "none" | "ssd1306";
            /**
             * @description the display's address on the bus
             * @default 60
             */
            display_address: number;
            /**
             * @description the newest-fax button forwards to this number; empty: it prints
             * @default
             */
            forward_to: string;
            /**
             * @description the CUPS printer that the newest-fax button prints on; empty: its default
             * @default
             */
            printer: string;
        };
        PrintingSection: {
            /** @description folder in which CUPS leaves what was printed; empty: none */
            folder: string;
            /** @description who prints under the name of a user of the box is that user; no: only who is listed below */
            match_names: boolean;
            /** @description account whose faxes those of everybody else are; empty: they are refused */
            owner: string;
            /**
             * @description where on page one of a PDF that was printed or scanned a number is looked for: off; tag: @@FAX: 030 123456@@, which is cut out of the page; line: also Fax-Nr.: 030 123456
             * @enum {string}
             */
            number_in_document: "off" | "tag" | "line";
        };
        PrintingChange: {
            /**
             * @description folder in which CUPS leaves what was printed; empty: none
             * @default /var/spool/faxbox/print
             */
            folder: string;
            /**
             * @description who prints under the name of a user of the box is that user; no: only who is listed below
             * @default true
             */
            match_names: boolean;
            /**
             * @description account whose faxes those of everybody else are; empty: they are refused
             * @default print
             */
            owner: string;
            /**
             * @description where on page one of a PDF that was printed or scanned a number is looked for: off; tag: @@FAX: 030 123456@@, which is cut out of the page; line: also Fax-Nr.: 030 123456
             * @default off
             * @enum {string}
             */
            number_in_document: "off" | "tag" | "line";
        };
        ScansSection: {
            /** @description folder that a multifunction device scans into; empty: none */
            folder: string;
            /** @description account whose faxes those are */
            owner: string;
            /** @description a file is complete when it has not changed for so long, s */
            settled_s: number;
            /** @description files that were faxed stay in the folder faxed for so long, days; 0: not at all */
            keep_days: number;
        };
        ScansChange: {
            /**
             * @description folder that a multifunction device scans into; empty: none
             * @default
             */
            folder: string;
            /**
             * @description account whose faxes those are
             * @default scan
             */
            owner: string;
            /**
             * @description a file is complete when it has not changed for so long, s
             * @default 5
             */
            settled_s: number;
            /**
             * @description files that were faxed stay in the folder faxed for so long, days; 0: not at all
             * @default 7
             */
            keep_days: number;
        };
        PaperSection: {
            /**
             * @description received faxes on one side of the paper or on both
             * @enum {string}
             */
            sides: "one-sided" | "two-sided-long-edge" | "two-sided-short-edge";
            /** @description above each page of a received fax a line says from whom and when it came */
            note: boolean;
            /**
             * @description print a report when a fax that was sent has ended
             * @enum {string}
             */
            reports: "never" | "failed" | "always";
            /** @description CUPS printer for reports; empty: CUPS' default printer */
            reports_printer: string;
            /** @description language of what is printed, such as de; empty: the owner's */
            language: string;
        };
        PaperChange: {
            /**
             * @description received faxes on one side of the paper or on both
             * @default one-sided
             * @enum {string}
             */
            sides: "one-sided" | "two-sided-long-edge" | "two-sided-short-edge";
            /**
             * @description above each page of a received fax a line says from whom and when it came
             * @default false
             */
            note: boolean;
            /**
             * @description print a report when a fax that was sent has ended
             * @default never
             * @enum {string}
             */
            reports: "never" | "failed" | "always";
            /**
             * @description CUPS printer for reports; empty: CUPS' default printer
             * @default
             */
            reports_printer: string;
            /**
             * @description language of what is printed, such as de; empty: the owner's
             * @default
             */
            language: string;
        };
        IppSection: {
            /**
             * @description who may print to fax over the network: off; users: with name and password; network: every computer of the local network
             * @enum {string}
             */
            access: "off" | "users" | "network";
        };
        IppChange: {
            /**
             * @description who may print to fax over the network: off; users: with name and password; network: every computer of the local network
             * @default off
             * @enum {string}
             */
            access: "off" | "users" | "network";
        };
        Finding: {
            /** @description what was looked at, such as disk */
            part: string;
            /**
             * @description warning: works, and not for long; skipped: could not be looked at
             * @enum {string}
             */
            state: "fine" | "warning" | "broken" | "skipped";
            /** @description in the language of Accept-Language, as far as the box speaks it */
            sentence: string;
            /** @description what to do; empty: nothing */
            advice: string;
            /** @description what was measured; empty: nothing */
            detail: string;
        };
        NewDocument: {
            name?: string;
            description?: string;
            files?: components["schemas"]["NewFile"][];
        };
        NewDocumentForm: {
            name?: string;
            description?: string;
            file?: Blob[];
        };
        HardwareTestResult: {
            /** @description of the box, such as storage */
            part: string;
            test: string;
            /** @description what must hold */
            sentence: string;
            /** @enum {string} */
            outcome: "passed" | "failed" | "skipped";
            /** @description why it does not hold, or why it was skipped */
            reason: string;
            /** @description what to do; empty: nothing */
            advice: string;
            measured: string;
            seconds: number;
        };
        HardwareTestQuestion: {
            /**
             * @description sees: answer yes or no; reads: answer what is read; does: a request without an answer
             * @enum {string}
             */
            kind: "sees" | "does" | "reads";
            words: string;
            /** @description the lamp, button or part that it is about */
            thing: string;
        };
        HardwareTest: {
            /** @description that can be tried */
            parts: string[];
            running: boolean;
            /** Format: date-time */
            began_at: string | null;
            /** @description so far, in the order of the tests */
            results: components["schemas"]["HardwareTestResult"][];
            question: components["schemas"]["HardwareTestQuestion"] | null;
            verdict: ("green" | "red") | null;
            /** @description why the run did not come to its end; empty: it did */
            trouble: string;
        };
        JournalSent: {
            /** @enum {string} */
            direction: "sent";
            id: number;
            uuid: string;
            /** @description faxes that were handed in together have the same */
            submission_id: number;
            to: {
                /** @description as it is dialled; empty: it needs one */
                number: string;
                /** @description as it was written */
                given: string;
                name: string;
                company: string;
            };
            /** @enum {string} */
            state: "held" | "preparing" | "needs_number" | "waiting" | "sending" | "delivered" | "failed" | "cancelled" | "unknown";
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            scheduled_at: string;
            /**
             * Format: date-time
             * @description when it waits: until then
             */
            next_try_at: string | null;
            /**
             * Format: date-time
             * @description no try begins after this
             */
            expires_at: string;
            /** Format: date-time */
            ended_at: string | null;
            tries: number;
            /** @description null until they are prepared */
            pages: number | null;
            /** @description the far machine has these */
            pages_confirmed: number;
            /** @description of the last try */
            line: string;
            /** @description what the far machine calls itself */
            remote_id: string;
            /** @description all tries together */
            seconds_on_line: number;
            result: components["schemas"]["Cause"] | null;
            cancel_requested: boolean;
            /** @description what of its document the pages do not show, or show otherwise */
            remarks: components["schemas"]["Remark"][];
            /**
             * Format: date-time
             * @description its content was erased for good
             */
            erased_at: string | null;
            /** @description whose it is */
            owner: string;
            /** @description the key that was used */
            key: string;
            /** @description the door it came through */
            origin: string;
            /** @enum {string} */
            priority: "high" | "normal" | "low";
            /** @description a word of yours, to filter by */
            tag: string;
            /** @description the fax that this one repeats */
            resent_from: number | null;
            /** @description kept, and given back as it came */
            metadata: Record<string, never>;
            /** @description told with a POST when the fax ends */
            callback_url: string;
            /** @description the person it came from */
            from_user: string;
            /** @description the computer it came from */
            from_computer: string;
        };
        JournalReceived: {
            /** @enum {string} */
            direction: "received";
            id: number;
            uuid: string;
            /** @description whose it is; empty: everyone's */
            owner: string;
            line: string;
            line_kind: string;
            caller: string;
            caller_name: string;
            dialled: string;
            /** @description what the sender's machine calls itself */
            tsi: string;
            sub_address: string;
            /** @enum {string} */
            state: "receiving" | "complete" | "partial";
            /** Format: date-time */
            started_at: string;
            /** Format: date-time */
            ended_at: string | null;
            pages: number;
            /** @description damaged on the line */
            bad_rows: number;
            result: components["schemas"]["Cause"] | null;
            read: boolean;
            /** @description what was agreed and measured */
            facts: Record<string, never>;
            /** @description from the practice machine: nobody outside sent it */
            practice: boolean;
            /**
             * Format: date-time
             * @description erased then, by a rule or its owner's wish
             */
            keep_until: string | null;
        };
        Note: {
            id: number;
            /** Format: date-time */
            at: string;
            /** @description as in the audit log: `user:ada`, `key:shop` */
            who: string;
            text: string;
        };
        CheckedNumber: {
            /** @description faxes may go there */
            ok: boolean;
            /** @description what will be dialled */
            dial: string;
            reach: ("practice" | "internal" | "domestic" | "abroad") | null;
            /** @description two letters, where the number says it */
            country: string;
            /** @description as the country writes it */
            pretty: string;
            result: components["schemas"]["Cause"] | null;
            /** @description of the contact in the phone book */
            name: string;
            /** @description faxes delivered there so far */
            delivered: number;
            /** @description calls that failed */
            failed: number;
            /** @description of the last delivery; 0: unknown */
            seconds_a_page: number;
            /** Format: date-time */
            quarantined_until: string | null;
        };
        Recipient: {
            number: string;
            name: string;
            company: string;
            contact: number | null;
            group: number | null;
            /** @description of a group */
            members: number;
            /** @enum {string} */
            source: "contact" | "group" | "recent";
        };
        User: {
            id: number;
            /** @description name to sign in with */
            name: string;
            /**
             * @description what they may do
             * @enum {string}
             */
            role: "admin" | "user" | "reader" | "sender";
            /** @description where results and received faxes can be sent */
            email: string;
            /** @description for cover pages */
            full_name: string;
            /** @description department: the tag of their faxes that have no other */
            tag: string;
            /** @description caller id and station id of their faxes, if the box's lines allow it */
            caller_number: string;
            /** @description cover template before each of their faxes that names none; standard: the box's own page; empty: no cover page */
            cover: string;
            /** @description pages they may send a month; 0: no limit */
            pages_per_month: number;
            /** @description pages they may send outside a day; 0: no limit */
            pages_per_day: number;
            /** @description minutes of calls outside they may use a day; 0: no limit */
            minutes_per_day: number;
            /** @description days after which their sent and received faxes are erased for good; 0: as the box's settings say */
            keep_days: number;
            /** @description for a reader: received faxes to numbers that begin so, such as +49301234 */
            reads_numbers: string[];
            /** @description for a reader: received faxes that were given to these users */
            reads_of: string[];
            /** @description may not sign in nor send */
            disabled: boolean;
            /** @description language of their pages and e-mails, such as de; empty: the browser's */
            language: string;
        };
        NewUser: {
            /** @description name to sign in with */
            name: string;
            /**
             * @description what they may do
             * @default user
             * @enum {string}
             */
            role: "admin" | "user" | "reader" | "sender";
            /**
             * @description where results and received faxes can be sent
             * @default
             */
            email: string;
            /**
             * @description for cover pages
             * @default
             */
            full_name: string;
            /**
             * @description department: the tag of their faxes that have no other
             * @default
             */
            tag: string;
            /**
             * @description caller id and station id of their faxes, if the box's lines allow it
             * @default
             */
            caller_number: string;
            /**
             * @description cover template before each of their faxes that names none; standard: the box's own page; empty: no cover page
             * @default
             */
            cover: string;
            /**
             * @description pages they may send a month; 0: no limit
             * @default 0
             */
            pages_per_month: number;
            /**
             * @description pages they may send outside a day; 0: no limit
             * @default 0
             */
            pages_per_day: number;
            /**
             * @description minutes of calls outside they may use a day; 0: no limit
             * @default 0
             */
            minutes_per_day: number;
            /**
             * @description days after which their sent and received faxes are erased for good; 0: as the box's settings say
             * @default 0
             */
            keep_days: number;
            /**
             * @description for a reader: received faxes to numbers that begin so, such as +49301234
             * @default []
             */
            reads_numbers: string[];
            /**
             * @description for a reader: received faxes that were given to these users
             * @default []
             */
            reads_of: string[];
            /**
             * @description may not sign in nor send
             * @default false
             */
            disabled: boolean;
            /**
             * @description language of their pages and e-mails, such as de; empty: the browser's
             * @default
             */
            language: string;
            password: string;
        };
        UserChange: {
            /** @description name to sign in with */
            name?: string;
            /**
             * @description what they may do
             * @default user
             * @enum {string}
             */
            role: "admin" | "user" | "reader" | "sender";
            /**
             * @description where results and received faxes can be sent
             * @default
             */
            email: string;
            /**
             * @description for cover pages
             * @default
             */
            full_name: string;
            /**
             * @description department: the tag of their faxes that have no other
             * @default
             */
            tag: string;
            /**
             * @description caller id and station id of their faxes, if the box's lines allow it
             * @default
             */
            caller_number: string;
            /**
             * @description cover template before each of their faxes that names none; standard: the box's own page; empty: no cover page
             * @default
             */
            cover: string;
            /**
             * @description pages they may send a month; 0: no limit
             * @default 0
             */
            pages_per_month: number;
            /**
             * @description pages they may send outside a day; 0: no limit
             * @default 0
             */
            pages_per_day: number;
            /**
             * @description minutes of calls outside they may use a day; 0: no limit
             * @default 0
             */
            minutes_per_day: number;
            /**
             * @description days after which their sent and received faxes are erased for good; 0: as the box's settings say
             * @default 0
             */
            keep_days: number;
            /**
             * @description for a reader: received faxes to numbers that begin so, such as +49301234
             * @default []
             */
            reads_numbers: string[];
            /**
             * @description for a reader: received faxes that were given to these users
             * @default []
             */
            reads_of: string[];
            /**
             * @description may not sign in nor send
             * @default false
             */
            disabled: boolean;
            /**
             * @description language of their pages and e-mails, such as de; empty: the browser's
             * @default
             */
            language: string;
            password?: string;
        };
        Key: {
            id: number;
            /** @description what the key is for */
            name: string;
            /** @description user whose faxes it handles; empty: its own name */
            owner: string;
            /** @description what it may do */
            scopes: ("send" | "receive" | "monitor" | "admin")[];
            /** @description for a key of no user: as a user's */
            cover: string;
            /** @description pages it may send a month; 0: no limit */
            pages_per_month: number;
            /** @description pages it may send outside a day; 0: no limit */
            pages_per_day: number;
            /** @description minutes of calls outside it may use a day; 0: no limit */
            minutes_per_day: number;
            /** @description told of every fax of this key that ends */
            webhook_url: string;
            /** @description in the way of which interface: own, ifax, ictfax; empty: the one that the fax came by */
            webhook_style: string;
            /** @description told of these; empty: of faxes that ended and of received ones */
            webhook_events: ("queued" | "held" | "waiting" | "started" | "page" | "delivered" | "failed" | "cancelled" | "unknown" | "received")[];
            /** @description the fax as PDF is in what is told, in the box's own style */
            webhook_pdf: boolean;
            /** @description refused */
            disabled: boolean;
            /** Format: date-time */
            created_at: string;
        };
        NewKey: {
            /** @description what the key is for */
            name: string;
            /**
             * @description user whose faxes it handles; empty: its own name
             * @default
             */
            owner: string;
            /**
             * @description what it may do
             * @default [
             *       "send",
             *       "receive"
             *     ]
             */
            scopes: ("send" | "receive" | "monitor" | "admin")[];
            /**
             * @description for a key of no user: as a user's
             * @default
             */
            cover: string;
            /**
             * @description pages it may send a month; 0: no limit
             * @default 0
             */
            pages_per_month: number;
            /**
             * @description pages it may send outside a day; 0: no limit
             * @default 0
             */
            pages_per_day: number;
            /**
             * @description minutes of calls outside it may use a day; 0: no limit
             * @default 0
             */
            minutes_per_day: number;
            /**
             * @description told of every fax of this key that ends
             * @default
             */
            webhook_url: string;
            /**
             * @description in the way of which interface: own, ifax, ictfax; empty: the one that the fax came by
             * @default
             */
            webhook_style: string;
            /**
             * @description told of these; empty: of faxes that ended and of received ones
             * @default []
             */
            webhook_events: ("queued" | "held" | "waiting" | "started" | "page" | "delivered" | "failed" | "cancelled" | "unknown" | "received")[];
            /**
             * @description the fax as PDF is in what is told, in the box's own style
             * @default false
             */
            webhook_pdf: boolean;
            /**
             * @description refused
             * @default false
             */
            disabled: boolean;
        };
        KeyChange: {
            /**
             * @description user whose faxes it handles; empty: its own name
             * @default
             */
            owner: string;
            /**
             * @description what it may do
             * @default [
             *       "send",
             *       "receive"
             *     ]
             */
            scopes: ("send" | "receive" | "monitor" | "admin")[];
            /**
             * @description for a key of no user: as a user's
             * @default
             */
            cover: string;
            /**
             * @description pages it may send a month; 0: no limit
             * @default 0
             */
            pages_per_month: number;
            /**
             * @description pages it may send outside a day; 0: no limit
             * @default 0
             */
            pages_per_day: number;
            /**
             * @description minutes of calls outside it may use a day; 0: no limit
             * @default 0
             */
            minutes_per_day: number;
            /**
             * @description told of every fax of this key that ends
             * @default
             */
            webhook_url: string;
            /**
             * @description in the way of which interface: own, ifax, ictfax; empty: the one that the fax came by
             * @default
             */
            webhook_style: string;
            /**
             * @description told of these; empty: of faxes that ended and of received ones
             * @default []
             */
            webhook_events: ("queued" | "held" | "waiting" | "started" | "page" | "delivered" | "failed" | "cancelled" | "unknown" | "received")[];
            /**
             * @description the fax as PDF is in what is told, in the box's own style
             * @default false
             */
            webhook_pdf: boolean;
            /**
             * @description refused
             * @default false
             */
            disabled: boolean;
        };
        MadeKey: {
            id: number;
            /** @description what the key is for */
            name: string;
            /** @description user whose faxes it handles; empty: its own name */
            owner: string;
            /** @description what it may do */
            scopes: ("send" | "receive" | "monitor" | "admin")[];
            /** @description for a key of no user: as a user's */
            cover: string;
            /** @description pages it may send a month; 0: no limit */
            pages_per_month: number;
            /** @description pages it may send outside a day; 0: no limit */
            pages_per_day: number;
            /** @description minutes of calls outside it may use a day; 0: no limit */
            minutes_per_day: number;
            /** @description told of every fax of this key that ends */
            webhook_url: string;
            /** @description in the way of which interface: own, ifax, ictfax; empty: the one that the fax came by */
            webhook_style: string;
            /** @description told of these; empty: of faxes that ended and of received ones */
            webhook_events: ("queued" | "held" | "waiting" | "started" | "page" | "delivered" | "failed" | "cancelled" | "unknown" | "received")[];
            /** @description the fax as PDF is in what is told, in the box's own style */
            webhook_pdf: boolean;
            /** @description refused */
            disabled: boolean;
            /** Format: date-time */
            created_at: string;
            /** @description shown only now */
            token: string;
            /** @description signs its webhooks; shown only now */
            webhook_secret: string;
        };
        Ticket: {
            token: string;
            /** Format: date-time */
            expires_at: string;
            user_id: number;
            /** @enum {string} */
            role: "admin" | "user" | "reader" | "sender";
        };
        Session: {
            id: string;
            /** Format: date-time */
            began_at: string;
            /**
             * Format: date-time
             * @description to some minutes
             */
            seen_at: string;
            /** Format: date-time */
            expires_at: string;
            address: string;
            /** @description what the browser or program calls itself */
            agent: string;
            /** @description the one that asks */
            this: boolean;
        };
        Self: {
            who: string;
            owner: string;
            /** @description that the user chose */
            language: string;
            /** @description sign-ins need a code of an authenticator app, too */
            app: boolean;
            scopes: ("send" | "receive" | "monitor" | "admin")[];
            pages_this_month: number;
        };
        ImportStep: {
            /** @description where it stands in the file */
            line: number;
            /** @enum {string} */
            fate: "new" | "changed" | "same" | "duplicate" | "refused";
            /** @description who is in the phone book already */
            contact: number | null;
            name: string;
            company: string;
            number: string;
            /** @description groups that it joins */
            groups: string[];
            changes: {
                field: string;
                before: string;
                after: string;
            }[];
            /** @description who is alike */
            others: {
                /**
                 * @description what both have in common
                 * @enum {string}
                 */
                alike: "number" | "name";
                name: string;
                number: string;
                /** @description who it is in the phone book */
                contact: number | null;
                /** @description where it stands in the file */
                line: number | null;
            }[];
            /** @description why it is refused */
            reason: string;
        };
        Offer: {
            id: number;
            uuid: string;
            owner: string;
            name: string;
            title: string;
            pages: number;
            /** Format: date-time */
            created_at: string;
            /** @description how often it was fetched whole */
            polled: number;
            /** Format: date-time */
            polled_at: string | null;
        };
        NewOffer: {
            /** @description what a caller sends as SEP; empty: for those who send none */
            name?: string;
            /** @description for people; the first file's name when left out */
            title?: string;
            /** @enum {string} */
            quality?: "standard" | "fine" | "superfine" | "300" | "400";
            files?: components["schemas"]["NewFile"][];
        };
        NewOfferForm: {
            /** @description what a caller sends as SEP; empty: for those who send none */
            name?: string;
            /** @description for people; the first file's name when left out */
            title?: string;
            /** @enum {string} */
            quality?: "standard" | "fine" | "superfine" | "300" | "400";
            file?: Blob[];
        };
        NewPreview: {
            /** @description left out: your usual one; null: none */
            cover?: components["schemas"]["Cover"] | null;
            /** @enum {string} */
            quality?: "standard" | "fine" | "superfine" | "300" | "400";
            /** @description text of the header line; empty: none; left out: the box's own */
            header?: string;
            /** @description the number sent as TSI */
            station_id?: string;
            /**
             * @description how grey becomes black and white
             * @enum {string}
             */
            treatment?: "auto" | "text" | "photo";
            /** @description whom the cover page names */
            to?: {
                number?: string;
                name?: string;
                company?: string;
            };
            /**
             * Format: date-time
             * @description the time that the pages carry; null: now
             */
            send_at?: string | null;
            /** @description yours to keep with it; given back */
            form?: Record<string, never>;
            files?: components["schemas"]["NewFile"][];
        };
        NewPreviewUpload: {
            file?: Blob[];
            /** @enum {string} */
            quality?: "standard" | "fine" | "superfine" | "300" | "400";
            /** @description text of the header line; empty: none; left out: the box's own */
            header?: string;
            /** @description the number sent as TSI */
            station_id?: string;
            /**
             * @description how grey becomes black and white
             * @enum {string}
             */
            treatment?: "auto" | "text" | "photo";
            "cover.template"?: string;
            "cover.subject"?: string;
            "cover.from_name"?: string;
            "cover.to_name"?: string;
            "cover.to_company"?: string;
            "cover.message"?: string;
        };
        MoreFiles: {
            files?: components["schemas"]["NewFile"][];
        };
        MoreFilesForm: {
            file?: Blob[];
        };
        PreviewChange: {
            /** @description left out: your usual one; null: none */
            cover?: components["schemas"]["Cover"] | null;
            /** @enum {string} */
            quality?: "standard" | "fine" | "superfine" | "300" | "400";
            /** @description text of the header line; empty: none; left out: the box's own */
            header?: string;
            /** @description the number sent as TSI */
            station_id?: string;
            /**
             * @description how grey becomes black and white
             * @enum {string}
             */
            treatment?: "auto" | "text" | "photo";
            /** @description whom the cover page names */
            to?: {
                number?: string;
                name?: string;
                company?: string;
            };
            /**
             * Format: date-time
             * @description the time that the pages carry; null: now
             */
            send_at?: string | null;
            /** @description yours to keep with it; given back */
            form?: Record<string, never>;
            /** @description all that are sent, in order */
            pages?: {
                /** @description counted from 0 */
                file: number;
                /** @description of that file */
                page: number;
                /** @description quarters clockwise */
                turn?: number;
                /**
                 * @description of this page; empty: as the whole fax
                 * @enum {string}
                 */
                treatment?: "" | "auto" | "text" | "photo";
                /** @description steps lighter; below 0 darker */
                lightness?: number;
            }[];
            /** @description make the pages anew: the header's time moves on */
            again?: boolean;
        };
        Preview: {
            id: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            touched_at: string;
            /** @description counts how often the pages were made */
            version: number;
            files: {
                name: string;
                media_type: string;
                octets: number;
                pages: number;
            }[];
            pages: {
                /** @description of the fax */
                number: number;
                /** @description null: the cover page */
                file: number | null;
                /** @description of that file */
                page: number;
                /** @description quarters clockwise */
                turn: number;
                /**
                 * @description of this page; empty: as the whole fax
                 * @enum {string}
                 */
                treatment: "" | "auto" | "text" | "photo";
                /** @description steps lighter; below 0 darker */
                lightness: number;
                width: number;
                rows: number;
                x_dpi: number;
                y_dpi: number;
                /** @description as coded */
                octets: number;
            }[];
            remarks: components["schemas"]["Remark"][];
            /** @description what a call may take, at the speed that the settings begin with */
            seconds: number;
            /** @enum {string} */
            quality: "standard" | "fine" | "superfine" | "300" | "400";
            treatment: string;
            cover: components["schemas"]["Cover"] | null;
            to: {
                number: string;
                name: string;
                company: string;
            };
            /** Format: date-time */
            send_at: string | null;
            form: Record<string, never>;
        };
        JudgedRule: {
            id: number;
            name: string;
            fits: boolean;
            /** @enum {string} */
            why: "fits" | "off" | "no_condition" | "caller" | "caller_name" | "dialled" | "tsi" | "sub_address" | "line" | "after_last" | "allowed";
            /** @description the same in words */
            sentence: string;
        };
        Statistics: {
            days: {
                /** @description such as 2030-01-31 */
                day: string;
                sent: {
                    faxes: number;
                    pages: number;
                    /** @description on the line */
                    seconds: number;
                };
                received: {
                    faxes: number;
                    pages: number;
                    /** @description on the line */
                    seconds: number;
                };
            }[];
            hours: {
                hour: number;
                sent: {
                    faxes: number;
                    pages: number;
                    /** @description on the line */
                    seconds: number;
                };
                received: {
                    faxes: number;
                    pages: number;
                    /** @description on the line */
                    seconds: number;
                };
            }[];
            /** @description those with the most faxes; a fax counts for its last line */
            lines: {
                name: string;
                /** @description that ended, cancelled ones apart */
                faxes: number;
                delivered: number;
            }[];
            /** @description numbers with the most faxes */
            destinations: {
                name: string;
                /** @description that ended, cancelled ones apart */
                faxes: number;
                delivered: number;
            }[];
            /** @description why faxes did not arrive */
            causes: {
                code: string;
                faxes: number;
            }[];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listFaxes: {
        parameters: {
            query?: {
                /** @description in one of these states */
                state?: ("held" | "preparing" | "needs_number" | "waiting" | "sending" | "delivered" | "failed" | "cancelled" | "unknown")[];
                /** @description to this number, as it is dialled */
                number?: string;
                /** @description with this tag */
                tag?: string;
                /** @description through this door */
                origin?: string;
                /** @description words, three letters each at least, that stand in number, name or subject */
                q?: string;
                /** @description handed in together */
                submission?: number;
                /** @description with this in its metadata: `order:4711`, or several as a JSON object */
                metadata?: string;
                /** @description of this user; only for administrators */
                owner?: string;
                /** @description not older than this time */
                since?: string;
                /** @description older than this time */
                until?: string;
                /** @description only those with a smaller id */
                before?: number;
                /** @description at most so many; 50 when left out */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        faxes: components["schemas"]["Fax"][];
                        /** @description `before` of the next page */
                        next: number | null;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createFax: {
        parameters: {
            query?: never;
            header?: {
                /** @description a word of yours for this fax: the request may be repeated, the fax is made once */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "to": [
                 *         "9990"
                 *       ],
                 *       "files": [
                 *         {
                 *           "name": "letter.txt",
                 *           "content": "RGVhciBTaXIgb3IgTWFkYW0K"
                 *         }
                 *       ],
                 *       "metadata": {
                 *         "order": "4711"
                 *       }
                 *     }
                 */
                "application/json": components["schemas"]["NewFax"];
                "multipart/form-data": components["schemas"]["NewFaxForm"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Submitted"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readFax: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FaxInFull"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readFaxPage: {
        parameters: {
            query?: {
                /** @description pixel for pixel as on the line, or a small picture */
                size?: "full" | "small";
            };
            header?: never;
            path: {
                /** @description id */
                id: number;
                /** @description number of a page, from 1 */
                page: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/png": Blob;
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readFaxDocument: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/pdf": Blob;
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readFaxConfirmation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/pdf": Blob;
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listFaxEvents: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        events: components["schemas"]["Event"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listFaxDeliveries: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        deliveries: components["schemas"]["Delivery"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readFaxTrace: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
                /** @description number of the attempt, from 1 */
                number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readFaxPackets: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
                /** @description number of the attempt, from 1 */
                number: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.tcpdump.pcap": Blob;
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelFax: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fax"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    retryFax: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "at": "2030-01-31T09:30:00Z"
                 *     }
                 */
                "application/json": {
                    /**
                     * Format: date-time
                     * @description left out: now
                     */
                    at?: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fax"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    releaseFax: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "at": "2030-01-31T09:30:00Z"
                 *     }
                 */
                "application/json": {
                    /**
                     * Format: date-time
                     * @description left out: now
                     */
                    at?: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fax"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    settleFax: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "rule": "resend"
                 *     }
                 */
                "application/json": {
                    /** @enum {string} */
                    rule: "resend" | "assume_delivered";
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fax"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resendFax: {
        parameters: {
            query?: never;
            header?: {
                /** @description a word of yours for this fax: the request may be repeated, the fax is made once */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "number": "+493012345"
                 *     }
                 */
                "application/json": {
                    number?: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fax"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    checkTrunk: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description the fax went through */
                        usable: boolean;
                        /** @description as T.38 */
                        t38: boolean;
                        findings: string[];
                        /** @description what to change, or to ask the provider */
                        advice: string[];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listFaxesWithoutNumber: {
        parameters: {
            query?: {
                /** @description of this user; only for administrators */
                owner?: string;
                /** @description only those with a smaller id */
                before?: number;
                /** @description at most so many; 50 when left out */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        faxes: components["schemas"]["Fax"][];
                        /** @description `before` of the next page */
                        next: number | null;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createFaxWithoutNumber: {
        parameters: {
            query?: never;
            header?: {
                /** @description a word of yours for this fax: the request may be repeated, the fax is made once */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "files": [
                 *         {
                 *           "name": "letter.txt",
                 *           "content": "RGVhciBTaXIgb3IgTWFkYW0K"
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["NewFaxWithoutNumber"];
                "multipart/form-data": components["schemas"]["NewFaxWithoutNumberForm"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Submitted"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    giveNumbers: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "to": [
                 *         "+493012345"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["NewNumbers"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        faxes: components["schemas"]["Fax"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteFaxWithoutNumber: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listPreviews: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        previews: components["schemas"]["Preview"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createPreview: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "files": [
                 *         {
                 *           "name": "letter.txt",
                 *           "content": "RGVhciBTaXIgb3IgTWFkYW0K"
                 *         }
                 *       ],
                 *       "quality": "fine"
                 *     }
                 */
                "application/json": components["schemas"]["NewPreview"];
                "multipart/form-data": components["schemas"]["NewPreviewUpload"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preview"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readPreview: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description preview */
                preview: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preview"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    dropPreview: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description preview */
                preview: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changePreview: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description preview */
                preview: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "quality": "standard"
                 *     }
                 */
                "application/json": components["schemas"]["PreviewChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preview"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    addToPreview: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description preview */
                preview: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "files": [
                 *         {
                 *           "name": "letter.txt",
                 *           "content": "RGVhciBTaXIgb3IgTWFkYW0K"
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["MoreFiles"];
                "multipart/form-data": components["schemas"]["MoreFilesForm"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Preview"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readPreviewPage: {
        parameters: {
            query?: {
                /** @description pixel for pixel as on the line, or a small picture */
                size?: "full" | "small";
                /** @description of these pages, not of later ones */
                version?: number;
            };
            header?: never;
            path: {
                /** @description preview */
                preview: string;
                /** @description number of a page, from 1 */
                page: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/png": Blob;
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    checkNumber: {
        parameters: {
            query?: {
                /** @description as somebody wrote it */
                number?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CheckedNumber"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRecipients: {
        parameters: {
            query?: {
                /** @description words that are in the name, company or number */
                q?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        recipients: components["schemas"]["Recipient"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listReceived: {
        parameters: {
            query?: {
                /** @description read, or not */
                read?: boolean;
                /** @description words, three letters each at least, that stand in number, name or subject */
                q?: string;
                /** @description from this caller */
                caller?: string;
                /** @description to this number of ours */
                dialled?: string;
                /** @description calls that brought no page, too */
                empty?: boolean;
                /** @description not older than this time */
                since?: string;
                /** @description older than this time */
                until?: string;
                /** @description only those with a smaller id */
                before?: number;
                /** @description at most so many; 50 when left out */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        received: components["schemas"]["ReceivedFax"][];
                        /** @description `before` of the next page */
                        next: number | null;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readReceived: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReceivedFaxInFull"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteReceived: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeReceived: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "read": true
                 *     }
                 */
                "application/json": {
                    read?: boolean;
                    owner?: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReceivedFax"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readReceivedPage: {
        parameters: {
            query?: {
                /** @description pixel for pixel as on the line, or a small picture */
                size?: "full" | "small";
            };
            header?: never;
            path: {
                /** @description id */
                id: number;
                /** @description number of a page, from 1 */
                page: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/png": Blob;
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readReceivedPdf: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/pdf": Blob;
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readReceivedTiff: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/tiff": Blob;
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    bundleReceived: {
        parameters: {
            query?: {
                /** @description of these faxes */
                ids?: number[];
                /** @description pdf when left out */
                format?: "pdf" | "zip";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/pdf": Blob;
                    "application/zip": Blob;
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listReceivedEvents: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        events: components["schemas"]["Event"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listReceivedDeliveries: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        deliveries: components["schemas"]["Delivery"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readReceivedTrace: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readReceivedPackets: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.tcpdump.pcap": Blob;
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    practiceReceive: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "caller": "5551234"
                 *     }
                 */
                "application/json": {
                    files?: components["schemas"]["NewFile"][];
                    caller?: string;
                    dialled?: string;
                };
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        started: boolean;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    forwardReceived: {
        parameters: {
            query?: never;
            header?: {
                /** @description a word of yours for this fax: the request may be repeated, the fax is made once */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "to": [
                 *         "+493012345"
                 *       ]
                 *     }
                 */
                "application/json": {
                    /** @description each gets a fax of its own */
                    to: (string | {
                        number: string;
                        /** @description for the cover page and reports */
                        name?: string;
                        /** @description for the cover page */
                        company?: string;
                    } | {
                        /** @description id in the phone book */
                        contact: number;
                    } | {
                        /** @description id of a group of contacts */
                        group: number;
                    })[];
                    /** @description left out: your usual one; null: none */
                    cover?: components["schemas"]["Cover"] | null;
                    /** @enum {string} */
                    quality?: "standard" | "fine" | "superfine" | "300" | "400";
                    /** @description text of the header line; empty: none; left out: the box's own */
                    header?: string;
                    /** @description the number sent as TSI */
                    station_id?: string;
                    /** @description caller id to show, where the line allows it */
                    caller_number?: string;
                    caller_name?: string;
                    /** @description show no number of ours, neither as caller id nor as TSI */
                    withhold_number?: boolean;
                    /** @description SUB, for the far machine's own routing */
                    sub_address?: string;
                    /** @description PWD, where the far machine wants one */
                    password?: string;
                    /** @description error correction mode */
                    ecm?: boolean;
                    /** @description bits a second */
                    max_bit_rate?: number;
                    /** @description only these lines, in this order */
                    lines?: string[];
                    max_tries?: number;
                    /** @description seconds to wait after each failed call, in place of the box's timetables; empty: one call only */
                    retry_waits?: number[];
                    /**
                     * @description after a break: the rest, or all pages again
                     * @enum {string}
                     */
                    resume?: "rest" | "all";
                    /**
                     * @description when cut off before the last confirmation
                     * @enum {string}
                     */
                    unknown_rule?: "ask" | "resend" | "assume_delivered";
                    /**
                     * @description how grey becomes black and white
                     * @enum {string}
                     */
                    treatment?: "auto" | "text" | "photo";
                    /** @description lighter below 0, darker above */
                    darkness?: number;
                    /**
                     * @description when the pages do not show all of the document
                     * @enum {string}
                     */
                    when_lost?: "send" | "hold" | "refuse";
                    /**
                     * Format: date-time
                     * @description not before this time
                     */
                    send_at?: string;
                    /** @description how long it may be tried, from that time */
                    lifetime_hours?: number;
                    /** @enum {string} */
                    priority?: "high" | "normal" | "low";
                    /** @description a word of yours, to filter by */
                    tag?: string;
                    /** @description kept, and given back as it came */
                    metadata?: Record<string, never>;
                    /** @description told with a POST when the fax ends */
                    callback_url?: string;
                    /** @description the person it came from */
                    from_user?: string;
                    /** @description the computer it came from */
                    from_computer?: string;
                    /** @description what the callback URL is told of; left out: how the fax ended */
                    callback_events?: ("queued" | "held" | "waiting" | "started" | "page" | "delivered" | "failed" | "cancelled" | "unknown")[];
                    /** @description what the callback URL is told of the end has the fax as PDF in it */
                    callback_pdf?: boolean;
                    /** @description only make its pages; they wait until it is released */
                    hold?: boolean;
                    /** @description these pages, in this order; all when empty */
                    pages?: string[];
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Submitted"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    mailReceived: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "to": "ada@office.example"
                 *     }
                 */
                "application/json": {
                    to: string;
                };
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        mailing: boolean;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    printReceived: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "printer": "Office"
                 *     }
                 */
                "application/json": {
                    printer?: string;
                };
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        printing: boolean;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    forwardFax: {
        parameters: {
            query?: never;
            header?: {
                /** @description a word of yours for this fax: the request may be repeated, the fax is made once */
                "Idempotency-Key"?: string;
            };
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "to": [
                 *         "+493012345"
                 *       ],
                 *       "pages": [
                 *         "1-3"
                 *       ]
                 *     }
                 */
                "application/json": {
                    /** @description each gets a fax of its own */
                    to: (string | {
                        number: string;
                        /** @description for the cover page and reports */
                        name?: string;
                        /** @description for the cover page */
                        company?: string;
                    } | {
                        /** @description id in the phone book */
                        contact: number;
                    } | {
                        /** @description id of a group of contacts */
                        group: number;
                    })[];
                    /** @description left out: your usual one; null: none */
                    cover?: components["schemas"]["Cover"] | null;
                    /** @enum {string} */
                    quality?: "standard" | "fine" | "superfine" | "300" | "400";
                    /** @description text of the header line; empty: none; left out: the box's own */
                    header?: string;
                    /** @description the number sent as TSI */
                    station_id?: string;
                    /** @description caller id to show, where the line allows it */
                    caller_number?: string;
                    caller_name?: string;
                    /** @description show no number of ours, neither as caller id nor as TSI */
                    withhold_number?: boolean;
                    /** @description SUB, for the far machine's own routing */
                    sub_address?: string;
                    /** @description PWD, where the far machine wants one */
                    password?: string;
                    /** @description error correction mode */
                    ecm?: boolean;
                    /** @description bits a second */
                    max_bit_rate?: number;
                    /** @description only these lines, in this order */
                    lines?: string[];
                    max_tries?: number;
                    /** @description seconds to wait after each failed call, in place of the box's timetables; empty: one call only */
                    retry_waits?: number[];
                    /**
                     * @description after a break: the rest, or all pages again
                     * @enum {string}
                     */
                    resume?: "rest" | "all";
                    /**
                     * @description when cut off before the last confirmation
                     * @enum {string}
                     */
                    unknown_rule?: "ask" | "resend" | "assume_delivered";
                    /**
                     * @description how grey becomes black and white
                     * @enum {string}
                     */
                    treatment?: "auto" | "text" | "photo";
                    /** @description lighter below 0, darker above */
                    darkness?: number;
                    /**
                     * @description when the pages do not show all of the document
                     * @enum {string}
                     */
                    when_lost?: "send" | "hold" | "refuse";
                    /**
                     * Format: date-time
                     * @description not before this time
                     */
                    send_at?: string;
                    /** @description how long it may be tried, from that time */
                    lifetime_hours?: number;
                    /** @enum {string} */
                    priority?: "high" | "normal" | "low";
                    /** @description a word of yours, to filter by */
                    tag?: string;
                    /** @description kept, and given back as it came */
                    metadata?: Record<string, never>;
                    /** @description told with a POST when the fax ends */
                    callback_url?: string;
                    /** @description the person it came from */
                    from_user?: string;
                    /** @description the computer it came from */
                    from_computer?: string;
                    /** @description what the callback URL is told of; left out: how the fax ended */
                    callback_events?: ("queued" | "held" | "waiting" | "started" | "page" | "delivered" | "failed" | "cancelled" | "unknown")[];
                    /** @description what the callback URL is told of the end has the fax as PDF in it */
                    callback_pdf?: boolean;
                    /** @description only make its pages; they wait until it is released */
                    hold?: boolean;
                    /** @description these pages, in this order; all when empty */
                    pages?: string[];
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Submitted"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    mailFax: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "to": "ada@office.example"
                 *     }
                 */
                "application/json": {
                    to: string;
                };
            };
        };
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        mailing: boolean;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listFaxNotes: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        notes: components["schemas"]["Note"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createFaxNote: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "text": "Dr. Byron calls back on Friday."
                 *     }
                 */
                "application/json": {
                    text: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Note"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteFaxNote: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
                /** @description note */
                note: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listReceivedNotes: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        notes: components["schemas"]["Note"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createReceivedNote: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "text": "Answered by telephone."
                 *     }
                 */
                "application/json": {
                    text: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Note"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteReceivedNote: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
                /** @description note */
                note: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    eraseFax: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description the fax */
                        erased: number;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    eraseReceived: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description the fax */
                        erased: number;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    eraseNumber: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "number": "+493012345"
                 *     }
                 */
                "application/json": {
                    number: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        faxes: number;
                        received: number;
                        /** @description still under way: not erased */
                        left: number;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    makeBackup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "passphrase": "correct horse battery",
                 *       "received": true
                 *     }
                 */
                "application/json": {
                    /** @description opens the file; kept nowhere */
                    passphrase: string;
                    /** @description received faxes, too */
                    received?: boolean;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": Blob;
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    restoreBackup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": {
                    /** @description the one that it was made with */
                    passphrase: string;
                    /** Format: binary */
                    backup: Blob;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: date-time */
                        made_at: string;
                        users: number;
                        contacts: number;
                        /** @description received faxes that this box did not have */
                        received: number;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    exportJournal: {
        parameters: {
            query?: {
                /** @description csv when left out */
                format?: "csv" | "json";
                /** @description only these */
                direction?: "sent" | "received";
                /** @description only with this tag, such as a department's; sent ones only */
                tag?: string;
                /** @description of this user; only for administrators */
                owner?: string;
                /** @description not older than this time */
                since?: string;
                /** @description older than this time */
                until?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                    "application/json": (components["schemas"]["JournalSent"] | components["schemas"]["JournalReceived"])[];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listDocuments: {
        parameters: {
            query?: {
                /** @description only those with a smaller id */
                before?: number;
                /** @description at most so many; 50 when left out */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        documents: components["schemas"]["Document"][];
                        /** @description `before` of the next page */
                        next: number | null;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createDocument: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "price list",
                 *       "files": [
                 *         {
                 *           "name": "letter.txt",
                 *           "content": "RGVhciBTaXIgb3IgTWFkYW0K"
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["NewDocument"];
                "multipart/form-data": components["schemas"]["NewDocumentForm"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Document"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readDocument: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Document"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listOffers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        polling: components["schemas"]["Offer"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createOffer: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "100",
                 *       "title": "Price list",
                 *       "files": [
                 *         {
                 *           "name": "letter.txt",
                 *           "content": "RGVhciBTaXIgb3IgTWFkYW0K"
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["NewOffer"];
                "multipart/form-data": components["schemas"]["NewOfferForm"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Offer"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readOffer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Offer"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteOffer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readOfferDocument: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/pdf": Blob;
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    exportContacts: {
        parameters: {
            query?: {
                /** @description CSV when it is left out */
                format?: "csv" | "vcard-2.1" | "vcard-3.0" | "vcard-4.0";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/csv": string;
                    "text/vcard": string;
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    importContacts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "multipart/form-data": {
                    /** Format: binary */
                    file: Blob;
                    /** @description import what was shown under this name; without it nothing is changed */
                    plan?: string;
                    /** @description only these lines; without it all but duplicates */
                    lines?: number[];
                    /** @description whose the new contacts are; empty: everyone's */
                    owner?: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description names what is shown; given back, exactly this is imported */
                        plan: string;
                        /** @description it was done */
                        imported: boolean;
                        counts: {
                            new: number;
                            changed: number;
                            same: number;
                            duplicate: number;
                            refused: number;
                        };
                        steps: components["schemas"]["ImportStep"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    tryCall: {
        parameters: {
            query?: {
                /** @description the caller's number; left out: withheld */
                caller?: string;
                /** @description the caller's name */
                caller_name?: string;
                /** @description the number that was called */
                dialled?: string;
                /** @description the line it comes in on */
                line?: string;
                /** @description what the sender's machine calls itself */
                station_id?: string;
                /** @description the sub-address (SUB) */
                sub_address?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        refused: components["schemas"]["Cause"] | null;
                        /** @description who gets the fax; empty: everyone */
                        user: string;
                        junk_rules: components["schemas"]["JudgedRule"][];
                        /** @description in the order in which they are looked at */
                        routes: components["schemas"]["JudgedRule"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    orderRoutes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "ids": [
                 *         2,
                 *         1
                 *       ]
                 *     }
                 */
                "application/json": {
                    /** @description every one, the first first */
                    ids: number[];
                };
            };
        };
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    orderLines: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "ids": [
                 *         2,
                 *         1
                 *       ]
                 *     }
                 */
                "application/json": {
                    /** @description every one, the first first */
                    ids: number[];
                };
            };
        };
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listContacts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        contacts: components["schemas"]["Contact"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createContact: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "number": "+493012345",
                 *       "first_name": "Ada",
                 *       "last_name": "Byron",
                 *       "company": "Analytical Engines"
                 *     }
                 */
                "application/json": components["schemas"]["NewContact"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Contact"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readContact: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Contact"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteContact: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeContact: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "first_name": "Ada",
                 *       "last_name": "Byron",
                 *       "company": "Analytical Engines"
                 *     }
                 */
                "application/json": components["schemas"]["ContactChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Contact"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listGroups: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        groups: components["schemas"]["Group"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createGroup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "dentists",
                 *       "contact_ids": [
                 *         1,
                 *         2
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["NewGroup"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Group"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readGroup: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Group"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteGroup: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeGroup: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "contact_ids": [
                 *         1
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["GroupChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Group"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listCoverTemplates: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        covers: components["schemas"]["CoverTemplate"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createCoverTemplate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "office",
                 *       "html": "<h1>{{subject}}</h1><p>{{message}}</p>"
                 *     }
                 */
                "application/json": components["schemas"]["NewCoverTemplate"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CoverTemplate"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readCoverTemplate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CoverTemplate"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteCoverTemplate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeCoverTemplate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "html": "<h1>{{subject}}</h1><p>{{message}}</p>"
                 *     }
                 */
                "application/json": components["schemas"]["CoverTemplateChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CoverTemplate"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listLineSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        line_settings: components["schemas"]["LineSettings"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createLineSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "type": "sip",
                 *       "name": "provider",
                 *       "server": "sip.provider.example",
                 *       "username": "acct4711",
                 *       "country_code": "49"
                 *     }
                 */
                "application/json": components["schemas"]["NewLineSettings"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LineSettings"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readLineSettings: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LineSettings"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteLineSettings: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeLineSettings: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "enabled": false
                 *     }
                 */
                "application/json": components["schemas"]["LineSettingsChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LineSettings"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRoutes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        routes: components["schemas"]["Route"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createRoute: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "sales",
                 *       "dialled": [
                 *         "+4930555"
                 *       ],
                 *       "emails": [
                 *         "sales@office.example"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["NewRoute"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Route"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readRoute: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Route"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteRoute: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeRoute: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "dialled": [
                 *         "+4930555"
                 *       ],
                 *       "emails": [
                 *         "sales@office.example"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["RouteChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Route"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listFavouritePrinters: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        favourite_printers: components["schemas"]["FavouritePrinter"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createFavouritePrinter: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "contact_id": 1
                 *     }
                 */
                "application/json": components["schemas"]["NewFavouritePrinter"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FavouritePrinter"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readFavouritePrinter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FavouritePrinter"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteFavouritePrinter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeFavouritePrinter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Dr. Byron"
                 *     }
                 */
                "application/json": components["schemas"]["FavouritePrinterChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FavouritePrinter"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listJunkRules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        junk_rules: components["schemas"]["JunkRule"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createJunkRule: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "advertising",
                 *       "caller": [
                 *         "+4940777"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["NewJunkRule"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JunkRule"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readJunkRule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JunkRule"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteJunkRule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeJunkRule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "caller": [
                 *         "+4940777"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["JunkRuleChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JunkRule"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    previewStoredCover: {
        parameters: {
            query?: {
                /** @description one page as a picture, or all as a PDF */
                format?: "png" | "pdf";
                /** @description of a long one: this page; the first when left out */
                page?: number;
                /** @description pixel for pixel as on the line, or a small picture */
                size?: "full" | "small";
            };
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/png": Blob;
                    "application/pdf": Blob;
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    previewCover: {
        parameters: {
            query?: {
                /** @description one page as a picture, or all as a PDF */
                format?: "png" | "pdf";
                /** @description of a long one: this page; the first when left out */
                page?: number;
                /** @description pixel for pixel as on the line, or a small picture */
                size?: "full" | "small";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "template": "standard",
                 *       "subject": "Our offer"
                 *     }
                 */
                "application/json": components["schemas"]["CoverPreview"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "image/png": Blob;
                    "application/pdf": Blob;
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    signIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "ada",
                 *       "password": "correct horse battery"
                 *     }
                 */
                "application/json": {
                    name: string;
                    password: string;
                    /** @description of the authenticator app, or a recovery code */
                    code?: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ticket"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setUp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "code": "7F3K-92MD",
                 *       "name": "ada",
                 *       "password": "correct horse battery"
                 *     }
                 */
                "application/json": {
                    code: string;
                    name: string;
                    password: string;
                };
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ticket"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readSelf: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Self"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeSelf: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "language": "de"
                 *     }
                 */
                "application/json": {
                    /** @description empty: the browser's */
                    language?: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Self"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeOwnPassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "old": "correct horse battery",
                 *       "new": "correct horse battery staple"
                 *     }
                 */
                "application/json": {
                    old: string;
                    new: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ticket"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listOwnSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        sessions: components["schemas"]["Session"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    endOtherSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description so many sessions */
                        ended: number;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    endSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description session */
                session: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    useApp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "password": "correct horse battery",
                 *       "secret": "JBSWY3DPEHPK3PXP",
                 *       "code": "123456"
                 *     }
                 */
                "application/json": {
                    password: string;
                    secret: string;
                    /** @description that the app shows now */
                    code: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description each good once; shown only now */
                        recovery_codes: string[];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    newAppSecret: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        secret: string;
                        /** @description for its QR code */
                        address: string;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    dropApp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "password": "correct horse battery"
                 *     }
                 */
                "application/json": {
                    password: string;
                };
            };
        };
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listUsers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        users: components["schemas"]["User"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createUser: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "ada",
                 *       "password": "correct horse battery",
                 *       "role": "user",
                 *       "email": "ada@office.example"
                 *     }
                 */
                "application/json": components["schemas"]["NewUser"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "role": "reader",
                 *       "reads_numbers": [
                 *         "+4930555"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["UserChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    dropAppOf: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    endSessionsOf: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description so many sessions */
                        ended: number;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        keys: components["schemas"]["Key"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "shop",
                 *       "scopes": [
                 *         "send"
                 *       ],
                 *       "webhook_url": "https://shop.example/faxes"
                 *     }
                 */
                "application/json": components["schemas"]["NewKey"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MadeKey"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Key"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "webhook_events": [
                 *         "delivered",
                 *         "failed"
                 *       ],
                 *       "webhook_pdf": true
                 *     }
                 */
                "application/json": components["schemas"]["KeyChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Key"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listDeliveries: {
        parameters: {
            query?: {
                /** @description only these */
                kind?: "webhook" | "email" | "folder" | "printer";
                /** @description in one of these states */
                state?: ("pending" | "done" | "failed" | "dropped")[];
                /** @description about this fax */
                fax?: number;
                /** @description of this user; only for administrators */
                owner?: string;
                /** @description only those with a smaller id */
                before?: number;
                /** @description at most so many; 50 when left out */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        deliveries: components["schemas"]["Delivery"][];
                        /** @description `before` of the next page */
                        next: number | null;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readDelivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Delivery"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    repeatDelivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description id */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Delivery"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    testWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "url": "https://shop.example/faxes"
                 *     }
                 */
                "application/json": {
                    /** @description this address, signed with the box's secret */
                    url?: string;
                    /** @description that of a key, signed with the key's secret */
                    key_id?: number;
                    /** @description that of a route, signed with the box's secret */
                    route_id?: number;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookTest"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readMail: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Mail"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    testMail: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "to": "ada@office.example"
                 *     }
                 */
                "application/json": {
                    to: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description what the mail server answered */
                        said: string;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    collectMail: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description e-mails that were dealt with */
                        taken: number;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readStatus: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Status"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                    "application/openmetrics-text": string;
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listLines: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        lines: components["schemas"]["Line"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    streamEvents: {
        parameters: {
            query?: {
                /** @description begin with the kept events after this id */
                since?: number;
                /** @description only those of this fax */
                fax?: number;
            };
            header?: {
                /** @description as `since`, when a client comes back */
                "Last-Event-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listDestinations: {
        parameters: {
            query?: {
                /** @description those after this number */
                after?: string;
                /** @description 50 when left out */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        destinations: components["schemas"]["Destination"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readDestination: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description destination */
                destination: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Destination"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    forgetDestination: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description destination */
                destination: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listAudit: {
        parameters: {
            query?: {
                /** @description only of this caller, such as key:shop */
                who?: string;
                /** @description only those with a smaller id */
                before?: number;
                /** @description at most so many; 50 when left out */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        audit: components["schemas"]["AuditEntry"][];
                        /** @description `before` of the next page */
                        next: number | null;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listCauses: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        causes: components["schemas"]["Cause"][];
                    };
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readCause: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description code */
                code: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Cause"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        station: components["schemas"]["StationSection"];
                        numbers: components["schemas"]["NumbersSection"];
                        sending: components["schemas"]["SendingSection"];
                        storage: components["schemas"]["StorageSection"];
                        sip: components["schemas"]["SipSection"];
                        practice: components["schemas"]["PracticeSection"];
                        http: components["schemas"]["HttpSection"];
                        api: components["schemas"]["ApiSection"];
                        deliveries: components["schemas"]["DeliveriesSection"];
                        reading: components["schemas"]["ReadingSection"];
                        mail_out: components["schemas"]["MailOutSection"];
                        mail_in: components["schemas"]["MailInSection"];
                        panel: components["schemas"]["PanelSection"];
                        printing: components["schemas"]["PrintingSection"];
                        scans: components["schemas"]["ScansSection"];
                        paper: components["schemas"]["PaperSection"];
                        ipp: components["schemas"]["IppSection"];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readStationSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StationSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeStationSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "station_id": ""
                 *     }
                 */
                "application/json": components["schemas"]["StationChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StationSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readNumbersSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NumbersSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeNumbersSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "region": ""
                 *     }
                 */
                "application/json": components["schemas"]["NumbersChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NumbersSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readSendingSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SendingSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeSendingSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "quality": "fine"
                 *     }
                 */
                "application/json": components["schemas"]["SendingChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SendingSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readStorageSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StorageSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeStorageSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "documents_days": 30
                 *     }
                 */
                "application/json": components["schemas"]["StorageChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StorageSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readSipSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SipSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeSipSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "bind": "0.0.0.0"
                 *     }
                 */
                "application/json": components["schemas"]["SipChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SipSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readPracticeSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PracticeSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changePracticeSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "enabled": true
                 *     }
                 */
                "application/json": components["schemas"]["PracticeChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PracticeSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readHttpSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HttpSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeHttpSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "tls_certificate": ""
                 *     }
                 */
                "application/json": components["schemas"]["HttpChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HttpSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readApiSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeApiSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "requests_per_hour": 1000
                 *     }
                 */
                "application/json": components["schemas"]["ApiChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readDeliveriesSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveriesSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeDeliveriesSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "webhook_waits": [
                 *         300,
                 *         600,
                 *         1200,
                 *         1800,
                 *         3600
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["DeliveriesChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveriesSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readReadingSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReadingSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeReadingSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "enabled": false
                 *     }
                 */
                "application/json": components["schemas"]["ReadingChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReadingSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readMailOutSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MailOutSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeMailOutSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "server": ""
                 *     }
                 */
                "application/json": components["schemas"]["MailOutChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MailOutSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readMailInSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MailInSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeMailInSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "domain": "fax.box"
                 *     }
                 */
                "application/json": components["schemas"]["MailInChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MailInSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readPanelSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PanelSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changePanelSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "power_led": 17
                 *     }
                 */
                "application/json": components["schemas"]["PanelChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PanelSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readPrintingSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PrintingSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changePrintingSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "folder": "/var/spool/faxbox/print"
                 *     }
                 */
                "application/json": components["schemas"]["PrintingChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PrintingSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readScansSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScansSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeScansSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "folder": ""
                 *     }
                 */
                "application/json": components["schemas"]["ScansChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScansSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readPaperSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PaperSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changePaperSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "sides": "one-sided"
                 *     }
                 */
                "application/json": components["schemas"]["PaperChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PaperSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readIppSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IppSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeIppSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "access": "off"
                 *     }
                 */
                "application/json": components["schemas"]["IppChange"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IppSection"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    examineBox: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        findings: components["schemas"]["Finding"][];
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSupportBundle: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/zip": Blob;
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readCertificate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        certificate: components["schemas"]["Certificate"] | null;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    giveCertificate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "certificate": "-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n",
                 *       "key": "-----BEGIN PRIVATE KEY-----\nMIIB…\n-----END PRIVATE KEY-----\n"
                 *     }
                 */
                "application/json": {
                    /** @description and those between it and its root, PEM */
                    certificate: string;
                    /** @description PEM, without a password */
                    key: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        certificate: components["schemas"]["Certificate"] | null;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    makeCertificate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "names": [
                 *         "faxbox.local"
                 *       ]
                 *     }
                 */
                "application/json": {
                    /** @description names and addresses of the box */
                    names: string[];
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        certificate: components["schemas"]["Certificate"] | null;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readStatistics: {
        parameters: {
            query?: {
                /** @description so many days, today included; 30 */
                days?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Statistics"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    showHardwareTest: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HardwareTest"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    startHardwareTest: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "parts": [
                 *         "storage",
                 *         "lines"
                 *       ],
                 *       "to": "+4930555"
                 *     }
                 */
                "application/json": {
                    /** @description only these; all when left out */
                    parts?: string[];
                    /** @description somebody stands before the box and answers */
                    person?: boolean;
                    /** @description of load; 60 when left out */
                    minutes?: number;
                    /** @description of all cores at work; 5 when left out */
                    heat_minutes?: number;
                    /** @description a fax machine whose owner expects a page over each trunk */
                    to?: string;
                    /** @description where the load goes; 9990 when left out */
                    load_to?: string;
                    /** @description LINE=NUMBER: under which a line of the box is called */
                    numbers?: string[];
                    /** @description queues on which a page is printed */
                    printers?: string[];
                    /** @description PIN:SPARE,…: pins of the panel that wires join to spare ones */
                    jig?: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HardwareTest"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    answerHardwareTest: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "answer": "yes"
                 *     }
                 */
                "application/json": {
                    /** @description yes, no, or what was read */
                    answer: string;
                };
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HardwareTest"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    stopHardwareTest: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HardwareTest"];
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readHardwareReport: {
        parameters: {
            query?: {
                /** @description pdf when left out */
                format?: "pdf" | "json";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/pdf": Blob;
                    "application/json": Blob;
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    showUpdate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description whether this machine was made from the image, and so is updated as one */
                        possible: boolean;
                        /** @description the version that runs */
                        version: string;
                        /** @enum {string} */
                        step: "none" | "installing" | "refused" | "starting" | "kept" | "went_back";
                        /** @description of the last update, where it is known */
                        new_version: string;
                        /** @description why it was refused */
                        detail: string;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    takeUpdate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Accepted */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description whether this machine was made from the image, and so is updated as one */
                        possible: boolean;
                        /** @description the version that runs */
                        version: string;
                        /** @enum {string} */
                        step: "none" | "installing" | "refused" | "starting" | "kept" | "went_back";
                        /** @description of the last update, where it is known */
                        new_version: string;
                        /** @description why it was refused */
                        detail: string;
                    };
                };
            };
            /** @description no valid key or sign-in */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too many requests; see Retry-After */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description not done; the code says why */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    onFaxQueued: {
        parameters: {
            query?: never;
            header: {
                /** @description `t=TIME,v1=HMAC`: HMAC-SHA256 over the time, a dot and the body */
                "X-Faxbox-Signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FaxWebhook"];
            };
        };
        responses: {
            /** @description taken; any other answer is tried again */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onFaxHeld: {
        parameters: {
            query?: never;
            header: {
                /** @description `t=TIME,v1=HMAC`: HMAC-SHA256 over the time, a dot and the body */
                "X-Faxbox-Signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FaxWebhook"];
            };
        };
        responses: {
            /** @description taken; any other answer is tried again */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onFaxWaiting: {
        parameters: {
            query?: never;
            header: {
                /** @description `t=TIME,v1=HMAC`: HMAC-SHA256 over the time, a dot and the body */
                "X-Faxbox-Signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FaxWebhook"];
            };
        };
        responses: {
            /** @description taken; any other answer is tried again */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onFaxStarted: {
        parameters: {
            query?: never;
            header: {
                /** @description `t=TIME,v1=HMAC`: HMAC-SHA256 over the time, a dot and the body */
                "X-Faxbox-Signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FaxWebhook"];
            };
        };
        responses: {
            /** @description taken; any other answer is tried again */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onFaxPage: {
        parameters: {
            query?: never;
            header: {
                /** @description `t=TIME,v1=HMAC`: HMAC-SHA256 over the time, a dot and the body */
                "X-Faxbox-Signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FaxWebhook"];
            };
        };
        responses: {
            /** @description taken; any other answer is tried again */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onFaxDelivered: {
        parameters: {
            query?: never;
            header: {
                /** @description `t=TIME,v1=HMAC`: HMAC-SHA256 over the time, a dot and the body */
                "X-Faxbox-Signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FaxWebhook"];
            };
        };
        responses: {
            /** @description taken; any other answer is tried again */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onFaxFailed: {
        parameters: {
            query?: never;
            header: {
                /** @description `t=TIME,v1=HMAC`: HMAC-SHA256 over the time, a dot and the body */
                "X-Faxbox-Signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FaxWebhook"];
            };
        };
        responses: {
            /** @description taken; any other answer is tried again */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onFaxCancelled: {
        parameters: {
            query?: never;
            header: {
                /** @description `t=TIME,v1=HMAC`: HMAC-SHA256 over the time, a dot and the body */
                "X-Faxbox-Signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FaxWebhook"];
            };
        };
        responses: {
            /** @description taken; any other answer is tried again */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onFaxUnknown: {
        parameters: {
            query?: never;
            header: {
                /** @description `t=TIME,v1=HMAC`: HMAC-SHA256 over the time, a dot and the body */
                "X-Faxbox-Signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FaxWebhook"];
            };
        };
        responses: {
            /** @description taken; any other answer is tried again */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onFaxReceived: {
        parameters: {
            query?: never;
            header: {
                /** @description `t=TIME,v1=HMAC`: HMAC-SHA256 over the time, a dot and the body */
                "X-Faxbox-Signature": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReceivedFaxWebhook"];
            };
        };
        responses: {
            /** @description taken; any other answer is tried again */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
}
