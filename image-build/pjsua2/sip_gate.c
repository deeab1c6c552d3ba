/* The gate: strangers' SIP costs next to nothing.
 *
 * A request becomes a transaction, and an INVITE a dialog and a call, before
 * the application hears of it; a thousand a second fill the memory within
 * seconds, and each is answered again and again to an address that may be
 * somebody else's. So requests are looked at here, in front of the
 * transaction layer:
 *
 * - from an address that the application has admitted: they pass;
 * - inside a dialog that there is: they pass, since a provider's requests may
 *   come from another of its addresses;
 * - from anybody else: 403 without a transaction, for the first few of a
 *   source and for so many of all sources; then they are dropped, beyond a
 *   rate before they are even parsed. ACK is never answered. A connection
 *   (TCP, TLS) that they made is closed: without a transaction nothing else
 *   would ever close it.
 *
 * Responses pass: those of strangers to nothing that was asked come to a
 * second module behind the transactions, which closes their connection, too.
 *
 * Connections are counted before that, as they are accepted. A provider may
 * keep one open for as long as it likes (RFC 5626), and whoever has not
 * spoken is given some seconds, so what is limited is their number: that of
 * each address, and that of all strangers together.
 *
 * Everything here has a fixed size. It runs on the thread that handles the
 * endpoint's events, and only there.
 */
#include <pjsip/sip_gate.h>
#include <pjsip/sip_endpoint.h>
#include <pjsip/sip_module.h>
#include <pjsip/sip_msg.h>
#include <pjsip/sip_transport.h>
#include <pjsip/sip_ua_layer.h>
#include <pjsip/sip_util.h>
#include <pj/activesock.h>
#include <pj/assert.h>
#include <pj/ctype.h>
#include <pj/errno.h>
#include <pj/os.h>
#include <pj/sock.h>
#include <pj/string.h>
#include <stdlib.h>

/* Networks that may be admitted: 64 trunks with some addresses each. */
#define MAX_NETWORKS            1024
/* Sources that are remembered; one that is new takes the place of another. */
#define SOURCES                 1024
/* Requests of strangers that are parsed, a second: of one source, of all. A
 * call's BYE from an address that is not admitted has to get through. */
#define LOOKS_OF_ONE            20
#define LOOKS_OF_ALL            500
/* Answers to strangers: so many at once, then one in so many milliseconds.
 * A source hears a few, so that whoever was forgotten in the settings finds
 * out; all together no more than help nobody to flood a third. */
#define ANSWERS_OF_ONE          5
#define ANSWER_OF_ONE_EACH_MS   30000
#define ANSWERS_OF_ALL          50
#define ANSWER_OF_ALL_EACH_MS   50
/* Connections at once, of PJSIP_MAX_TRANSPORTS that there may be: of an address
 * that is admitted, of one that is not, of all that are not. Peers reuse
 * theirs; some open one for each call. */
#define CONNECTIONS_OF_ONE          64
#define CONNECTIONS_OF_STRANGER     8
#define CONNECTIONS_OF_STRANGERS    64

typedef struct network
{
    unsigned    octets;         /* length of an address: 4 or 16 */
    unsigned    bits;
    pj_uint8_t  address[16];
} network;

/* Tokens that come back with time. */
typedef struct bucket
{
    pj_uint32_t tokens;
    pj_uint32_t since_ms;       /* when the last one came back */
} bucket;

typedef struct source
{
    unsigned    octets;         /* 0: nobody */
    pj_uint8_t  address[16];
    bucket      looks;
    bucket      answers;
} source;

/* A connection that was let in. */
typedef struct connection
{
    pj_sock_t   sock;
    pj_sockaddr peer;           /* without a family: none yet */
} connection;

static struct gate
{
    pjsip_endpoint      *endpt;
    unsigned             network_count;
    network              networks[MAX_NETWORKS];
    source               sources[SOURCES];
    bucket               looks;
    bucket               answers;
    connection           connections[PJSIP_MAX_TRANSPORTS];
    pjsip_gate_counters  counters;
} gate;

static pj_bool_t on_rx_request(pjsip_rx_data *rdata);
static pj_bool_t on_rx_stray_response(pjsip_rx_data *rdata);

static pjsip_module mod_gate =
{
    NULL, NULL,                                 /* prev, next */
    { "mod-gate", 8 },
    -1,                                         /* id */
    PJSIP_MOD_PRIORITY_TRANSPORT_LAYER - 1,     /* before all others */
    NULL, NULL, NULL, NULL,                     /* load, start, stop, unload */
    &on_rx_request,
    NULL, NULL, NULL, NULL                      /* responses, and what is sent */
};

static pjsip_module mod_stray =
{
    NULL, NULL,                                 /* prev, next */
    { "mod-stray", 9 },
    -1,                                         /* id */
    PJSIP_MOD_PRIORITY_APPLICATION + 1,         /* behind transactions and dialogs */
    NULL, NULL, NULL, NULL,                     /* load, start, stop, unload */
    NULL,                                       /* requests */
    &on_rx_stray_response,
    NULL, NULL, NULL                            /* what is sent, states of transactions */
};

static pj_uint32_t now_ms(void)
{
    pj_timestamp now, nothing;

    pj_get_timestamp(&now);
    nothing.u64 = 0;
    return (pj_uint32_t)pj_elapsed_msec64(&nothing, &now);
}

/* Takes a token out of a bucket of so many, one of which comes back each so
 * many milliseconds; PJ_FALSE when there is none. */
static pj_bool_t take(bucket *b, unsigned most, unsigned each_ms)
{
    pj_uint32_t now = now_ms();
    pj_uint32_t came = (now - b->since_ms) / each_ms;

    if (came >= most - b->tokens) {
        b->tokens = most;
        b->since_ms = now;
    } else {
        b->tokens += came;
        b->since_ms += came * each_ms;
    }
    if (b->tokens == 0)
        return PJ_FALSE;
    b->tokens--;
    return PJ_TRUE;
}

static const pj_uint8_t *address_of(const pj_sockaddr *peer, unsigned *octets)
{
    *octets = pj_sockaddr_get_addr_len(peer);
    return (const pj_uint8_t*)pj_sockaddr_get_addr(peer);
}

static pj_bool_t within(const network *net, const pj_uint8_t *address, unsigned octets)
{
    unsigned whole = net->bits / 8, rest = net->bits % 8;
    pj_uint8_t mask = (pj_uint8_t)(0xFF00 >> rest);

    if (net->octets != octets || pj_memcmp(net->address, address, whole) != 0)
        return PJ_FALSE;
    return rest == 0 || ((net->address[whole] ^ address[whole]) & mask) == 0;
}

static pj_bool_t admits(const pj_sockaddr *peer)
{
    unsigned i, octets;
    const pj_uint8_t *address = address_of(peer, &octets);

    for (i = 0; i < gate.network_count; ++i) {
        if (within(&gate.networks[i], address, octets))
            return PJ_TRUE;
    }
    return PJ_FALSE;
}

static pj_bool_t is_admitted(const pjsip_rx_data *rdata)
{
    return admits(&rdata->pkt_info.src_addr);
}

/* What is remembered of the source; somebody else is forgotten for it. */
static source *source_of(const pjsip_rx_data *rdata)
{
    unsigned i, octets, hash = 2166136261U;     /* FNV-1a */
    const pj_uint8_t *address = address_of(&rdata->pkt_info.src_addr, &octets);
    source *found;

    for (i = 0; i < octets; ++i)
        hash = (hash ^ address[i]) * 16777619U;
    found = &gate.sources[hash % SOURCES];
    if (found->octets != octets || pj_memcmp(found->address, address, octets) != 0) {
        found->octets = octets;
        pj_memcpy(found->address, address, octets);
        found->looks.tokens = LOOKS_OF_ONE;
        found->answers.tokens = ANSWERS_OF_ONE;
        found->looks.since_ms = found->answers.since_ms = now_ms();
    }
    return found;
}

static pj_bool_t is_response(const pjsip_rx_data *rdata)
{
    return rdata->msg_info.len >= 4 && pj_memcmp(rdata->msg_info.msg_buf, "SIP/", 4) == 0;
}

/* Whether there is a dialog that the request says it belongs to. */
static pj_bool_t is_in_dialog(const pjsip_rx_data *rdata)
{
    const pjsip_to_hdr *to = rdata->msg_info.to;
    const pjsip_from_hdr *from = rdata->msg_info.from;

    return to->tag.slen != 0 &&
           pjsip_ua_find_dialog(&rdata->msg_info.cid->id, &to->tag, &from->tag, PJ_FALSE) != NULL;
}

/* Closes the connection that a stranger made, once the answers on it are
 * sent; not one that we made, for a provider may use that as it likes.
 */
static void turn_away(const pjsip_rx_data *rdata)
{
    pjsip_transport *transport = rdata->tp_info.transport;

    if (transport->dir == PJSIP_TP_DIR_INCOMING && PJSIP_TRANSPORT_IS_RELIABLE(transport))
        pjsip_transport_shutdown(transport);
}

/* Whether a connection that was let in is still open. Nobody says when one is
 * closed, but then its socket has no peer, or another one. */
static pj_bool_t is_open(const connection *c)
{
    pj_sockaddr peer;
    int length = sizeof(peer);

    return c->peer.addr.sa_family != 0 &&
           pj_sock_getpeername(c->sock, &peer, &length) == PJ_SUCCESS &&
           pj_sockaddr_cmp(&peer, &c->peer) == 0;
}

static pj_bool_t may_connect(pj_sock_t sock, const pj_sockaddr *peer)
{
    connection *place = NULL;
    unsigned i, octets, of_one = 0, of_strangers = 0;
    const pj_uint8_t *address = address_of(peer, &octets);
    pj_bool_t admitted = admits(peer);

    for (i = 0; i < PJ_ARRAY_SIZE(gate.connections); ++i) {
        connection *other = &gate.connections[i];
        unsigned others_octets;
        const pj_uint8_t *others;

        if (!is_open(other)) {
            place = other;
            continue;
        }
        others = address_of(&other->peer, &others_octets);
        of_one += others_octets == octets && pj_memcmp(others, address, octets) == 0;
        of_strangers += !admits(&other->peer);
    }
    if (!place || of_one >= (admitted? CONNECTIONS_OF_ONE : CONNECTIONS_OF_STRANGER) ||
        (!admitted && of_strangers >= CONNECTIONS_OF_STRANGERS))
    {
        return PJ_FALSE;
    }
    place->sock = sock;
    pj_sockaddr_cp(&place->peer, peer);
    return PJ_TRUE;
}

PJ_DEF(pj_bool_t) pjsip_gate_first_look(const pjsip_rx_data *rdata)
{
    if (!gate.endpt || is_response(rdata) || is_admitted(rdata))
        return PJ_TRUE;
    if (take(&source_of(rdata)->looks, LOOKS_OF_ONE, 1000 / LOOKS_OF_ONE) &&
        take(&gate.looks, LOOKS_OF_ALL, 1000 / LOOKS_OF_ALL))
    {
        return PJ_TRUE;
    }
    gate.counters.silent++;
    turn_away(rdata);
    return PJ_FALSE;
}

static pj_bool_t on_rx_request(pjsip_rx_data *rdata)
{
    pjsip_tx_data *tdata;

    if (is_admitted(rdata) || is_in_dialog(rdata))
        return PJ_FALSE;                        /* for the modules behind */
    if (rdata->msg_info.msg->line.req.method.id == PJSIP_ACK_METHOD ||
        !take(&source_of(rdata)->answers, ANSWERS_OF_ONE, ANSWER_OF_ONE_EACH_MS) ||
        !take(&gate.answers, ANSWERS_OF_ALL, ANSWER_OF_ALL_EACH_MS))
    {
        gate.counters.silent++;
        turn_away(rdata);
        return PJ_TRUE;
    }
    gate.counters.refused++;
    pj_ansi_snprintf(gate.counters.last, sizeof(gate.counters.last), "%.*s",
                     (int)sizeof(gate.counters.last) - 1, rdata->pkt_info.src_name);
    if (pjsip_endpt_create_response(gate.endpt, rdata, PJSIP_SC_FORBIDDEN, NULL, &tdata) == PJ_SUCCESS) {
        pjsip_response_addr to;

        if (pjsip_get_response_addr(tdata->pool, rdata, &to) != PJ_SUCCESS ||
            pjsip_endpt_send_response(gate.endpt, &to, tdata, NULL, NULL) != PJ_SUCCESS)
        {
            pjsip_tx_data_dec_ref(tdata);
        }
    }
    turn_away(rdata);
    return PJ_TRUE;
}

static pj_bool_t on_rx_stray_response(pjsip_rx_data *rdata)
{
    if (!is_admitted(rdata))
        turn_away(rdata);
    return PJ_FALSE;
}

PJ_DEF(pj_status_t) pjsip_gate_open(pjsip_endpoint *endpt)
{
    pj_status_t status;

    pj_bzero(&gate, sizeof(gate));
    gate.looks.tokens = LOOKS_OF_ALL;
    gate.answers.tokens = ANSWERS_OF_ALL;
    gate.looks.since_ms = gate.answers.since_ms = now_ms();
    mod_gate.id = -1;
    mod_stray.id = -1;
    status = pjsip_endpt_register_module(endpt, &mod_gate);
    if (status == PJ_SUCCESS)
        status = pjsip_endpt_register_module(endpt, &mod_stray);
    if (status == PJ_SUCCESS) {
        gate.endpt = endpt;
        pj_activesock_may_connect = &may_connect;
    }
    return status;
}

PJ_DEF(void) pjsip_gate_admit(unsigned count, const char *const networks[])
{
    unsigned i;

    gate.network_count = 0;
    for (i = 0; i < count && gate.network_count < MAX_NETWORKS; ++i) {
        network *net = &gate.networks[gate.network_count];
        char host[PJ_INET6_ADDRSTRLEN + 1];
        const char *slash = pj_ansi_strchr(networks[i], '/');
        pj_size_t length = slash? (pj_size_t)(slash - networks[i]) : pj_ansi_strlen(networks[i]);
        int family = pj_ansi_strchr(networks[i], ':')? pj_AF_INET6() : pj_AF_INET();
        pj_str_t text;

        if (length >= sizeof(host))
            continue;
        pj_memcpy(host, networks[i], length);
        host[length] = '\0';
        text = pj_str(host);
        net->octets = family == pj_AF_INET()? 4 : 16;
        net->bits = slash? (unsigned)atoi(slash + 1) : net->octets * 8;
        if (net->bits <= net->octets * 8 && pj_inet_pton(family, &text, net->address) == PJ_SUCCESS)
            gate.network_count++;
    }
}

PJ_DEF(void) pjsip_gate_get_counters(pjsip_gate_counters *counters)
{
    *counters = gate.counters;
}
