/* How pjproject is compiled for the box: SIP signalling only, all media by the application. */

/* Our patch (app-owned-media.patch): the application writes every m= line. */
#define PJSUA_APP_OWNS_MEDIA            1

/* The user part of our Contact in calls: the login name stays between us and the registrar. */
#define PJSUA_CALL_CONTACT_USER         "fax"

/* Calls at once (MAX_CALLS in appliance/lines/sip/library.py). A place that no call has taken costs about 1 kB. */
#define PJSUA_MAX_CALLS                 320
#define PJSUA_MAX_ACC                   64

/* Sockets of SIP itself: a TCP or TLS peer takes one each. Media sockets are not in here. */
#define PJ_IOQUEUE_MAX_HANDLES          1024
/* Of them listeners and connections: whoever opens more is turned away before the process has no file left. How many
 * one address may have is in sip_gate.c. */
#define PJSIP_MAX_TRANSPORTS            256
/* Seconds for a handshake of TLS, and then for a first message: whoever connects and stays silent may not hold a
 * connection for good. */
#define PJSIP_TRANSPORT_SERVER_IDLE_TIME_FIRST 10
#define PJSIP_MAX_TSX_COUNT             ((4 * 1024) - 1)
#define PJSIP_MAX_DIALOG_COUNT          ((1 * 1024) - 1)

/* A gateway's INVITE with many headers and codecs passes the stock 4000 octets over TCP. */
#define PJSIP_MAX_PKT_LEN               16000
/* The binding hands over SDP text only up to this size; the stock 1024 would hand over nothing. */
#define PJSUA2_MAX_SDP_BUF_LEN          8192

/* A name server that did not answer, or a name that was not known, is asked again after so many seconds (stock:
 * 60): a box often comes up before its network. */
#define PJ_DNS_RESOLVER_BAD_NS_TTL      5
#define PJ_DNS_RESOLVER_INVALID_TTL     5

/* Stay on the transport the owner chose, whatever the size of the request. */
#define PJSIP_DONT_SWITCH_TO_TCP        1

#define PJ_HAS_IPV6                     1
#define PJMEDIA_HAS_VIDEO               0
#define PJMEDIA_HAS_SRTP                0
#define PJMEDIA_HAS_WEBRTC_AEC          0
#define PJMEDIA_HAS_WEBRTC_AEC3         0
#define PJMEDIA_HAS_SPEEX_AEC           0
#define PJMEDIA_HAS_SPEEX_CODEC         0
#define PJMEDIA_HAS_GSM_CODEC           0
#define PJMEDIA_HAS_ILBC_CODEC          0
#define PJMEDIA_HAS_G722_CODEC          0
#define PJMEDIA_HAS_G7221_CODEC         0
#define PJMEDIA_HAS_L16_CODEC           0
