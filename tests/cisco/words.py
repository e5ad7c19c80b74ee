"""The words of Cisco IOS access lists and what they mean.

From the IOS and IOS-XE command references: `access-list (IP extended)`, `permit (IPv6)`,
`object-group`. Several words of one number are all read; which one a router prints is not this
table's business.
"""


def table(text):
    """{word: number} of `word number` pairs; a number may be TYPE/CODE."""
    words = text.split()
    return {word: tuple(int(part) for part in number.split("/"))
            for word, number in zip(words[::2], words[1::2])}


def numbers(text):
    return {word: value[0] for word, value in table(text).items()}


PORTS_TCP = numbers("""
    echo 7 discard 9 daytime 13 chargen 19 ftp-data 20 ftp 21 telnet 23 smtp 25 time 37 whois 43
    tacacs 49 domain 53 gopher 70 finger 79 www 80 hostname 101 pop2 109 pop3 110 sunrpc 111
    ident 113 nntp 119 msrpc 135 bgp 179 irc 194 pim-auto-rp 496 exec 512 login 513 cmd 514
    syslog 514 lpd 515 talk 517 uucp 540 klogin 543 kshell 544 drip 3949 onep-plain 15001
    onep-tls 15002""")
PORTS_UDP = numbers("""
    echo 7 discard 9 time 37 nameserver 42 tacacs 49 domain 53 bootps 67 bootpc 68 tftp 69
    sunrpc 111 ntp 123 netbios-ns 137 netbios-dgm 138 netbios-ss 139 snmp 161 snmptrap 162
    xdmcp 177 dnsix 195 mobile-ip 434 pim-auto-rp 496 isakmp 500 biff 512 who 513 syslog 514
    talk 517 rip 520 ripv6 521 non500-isakmp 4500""")
PORT_WORDS = {6: PORTS_TCP, 17: PORTS_UDP, 132: {}}

# Of protocols with ports; others have none in a list.
TCP, UDP, SCTP, ICMP, ICMP6 = 6, 17, 132, 1, 58

PROTOCOLS_V4 = numbers("""
    ahp 51 eigrp 88 esp 50 gre 47 icmp 1 igmp 2 ipinip 4 nos 94 ospf 89 pcp 108 pim 103
    sctp 132 tcp 6 udp 17""")
PROTOCOLS_V6 = numbers("ahp 51 esp 50 hbh 0 icmp 58 pcp 108 sctp 132 tcp 6 udp 17")

ICMP_V4 = table("""
    administratively-prohibited 3/13 alternate-address 6 conversion-error 31
    dod-host-prohibited 3/10 dod-net-prohibited 3/9 echo 8 echo-reply 0
    general-parameter-problem 12/0 host-isolated 3/8 host-precedence-unreachable 3/14
    host-redirect 5/1 host-tos-redirect 5/3 host-tos-unreachable 3/12 host-unknown 3/7
    host-unreachable 3/1 information-reply 16 information-request 15 mask-reply 18
    mask-request 17 mobile-redirect 32 net-redirect 5/0 net-tos-redirect 5/2
    net-tos-unreachable 3/11 net-unreachable 3/0 network-unknown 3/6 no-room-for-option 12/2
    option-missing 12/1 packet-too-big 3/4 parameter-problem 12 port-unreachable 3/3
    precedence-unreachable 3/15 protocol-unreachable 3/2 reassembly-timeout 11/1 redirect 5
    router-advertisement 9 router-solicitation 10 source-quench 4 source-route-failed 3/5
    time-exceeded 11 timestamp-reply 14 timestamp-request 13 traceroute 30 ttl-exceeded 11/0
    unreachable 3""")
ICMP_V6 = table("""
    beyond-scope 1/2 destination-unreachable 1/3 echo-reply 129 echo-request 128 header 4/0
    hop-limit 3/0 mld-query 130 mld-reduction 132 mld-report 131 mldv2 143 nd-na 136 nd-ns 135
    next-header 4/1 no-admin 1/1 no-route 1/0 packet-too-big 2 parameter-option 4/2
    parameter-problem 4 port-unreachable 1/4 reassembly-timeout 3/1 router-advertisement 134
    router-renumbering 138 router-solicitation 133 time-exceeded 3 unreachable 1""")

FLAGS = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32}

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY_SETS = {"weekdays": DAYS[:5], "weekend": DAYS[5:], "daily": DAYS}
