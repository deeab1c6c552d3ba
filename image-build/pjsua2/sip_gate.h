/* Who may speak to the SIP stack: see sip_gate.c. */
#ifndef PJSIP_SIP_GATE_H
#define PJSIP_SIP_GATE_H

#include <pjsip/sip_types.h>
#include <pj/sock.h>

PJ_BEGIN_DECL

/* What became of requests from strangers. */
typedef struct pjsip_gate_counters
{
    unsigned refused;           /* answered with 403 */
    unsigned silent;            /* dropped without an answer */
    char last[PJ_INET6_ADDRSTRLEN + 10];  /* address of the last one refused */
} pjsip_gate_counters;

/* Puts the gate before every other module of the endpoint. Until it is told
 * whom to admit it admits nobody. */
PJ_DECL(pj_status_t) pjsip_gate_open(pjsip_endpoint *endpt);

/* Admits these addresses ("192.0.2.1", "2001:db8::1") and networks
 * ("192.0.2.0/24"), and nobody else. Those that cannot be read are left out. */
PJ_DECL(void) pjsip_gate_admit(unsigned count, const char *const networks[]);

PJ_DECL(void) pjsip_gate_get_counters(pjsip_gate_counters *counters);

/* The first look at what has come in, before it is parsed: PJ_FALSE for what
 * costs nothing more. Called by the transport manager. */
PJ_DECL(pj_bool_t) pjsip_gate_first_look(const pjsip_rx_data *rdata);

PJ_END_DECL

#endif
