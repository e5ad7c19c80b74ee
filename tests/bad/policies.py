"""Policies that are mistakes: what is written, what `fwc` has to say, and where.

Each row is (name, text, code, line). The text is what a user would write; the code is the
diagnostic's; the line is that of the mistake, counted from 1. Rows with files have a
folder of their own: (name, {file: text}, code, line, file of the message).
"""

ZONES = """zone lan { interface eth1; network 192.168.0.0/24; }
zone wan { interface eth0; network internet; }
host a = 10.0.0.1;
"""

MISTAKES = (
    # names
    ("unknown service", "allow kerberso;\n", "FW0301", 1),
    ("unknown service behind others", "allow http,\n  https,\n  no-such-thing;\n", "FW0301", 3),
    ("unknown service behind except", "allow web except no-such-thing;\n", "FW0301", 1),
    ("unknown host", "allow http;\nallow ssh from no-such-host;\n", "FW0401", 2),
    ("unknown zone", ZONES + "allow ssh from lan to dmz;\n", "FW0401", 4),
    ("unknown place of other case", ZONES + "allow ssh from LAN;\n", "FW0401", 4),
    ("unknown place in a group", "group g = 10.0.0.1, nowhere;\nallow ssh from g;\n", "FW0401", 1),
    ("unknown place in a block", ZONES + "from lan to nowhere {\n  allow ssh;\n}\n", "FW0401", 4),
    ("unknown schedule", "allow ssh during lunch;\n", "FW0508", 1),
    ("unknown protocol", "allow 80/tpc;\n", "FW0306", 1),
    ("unknown icmp type", "allow echo-reqest/icmp;\n", "FW0307", 1),
    ("unknown helper", "service s { 21/tcp; helper no-such; }\nallow s;\n", "FW0313", 1),
    ("unknown status", "service s { 21/tcp; status shiny; }\nallow s;\n", "FW0312", 1),
    # empty sets never become any
    ("a host except itself", "host a = 10.0.0.1;\nallow ssh from a except a;\n", "FW0", 2),
    ("a network except more", "allow ssh from 10.0.0.0/24 except 10.0.0.0/8;\n", "FW0", 1),
    ("a zone except itself", ZONES + "allow ssh from lan except lan;\n", "FW0", 4),
    ("any except any", "allow ssh from any except any;\n", "FW0", 1),
    ("self except any", "allow ssh to self except any;\n", "FW0", 1),
    ("an empty group", "group g = 10.0.0.1 except 10.0.0.0/30;\nallow ssh from g;\n", "FW0404", 1),
    ("an empty service", "allow http except http;\n", "FW0", 1),
    ("an empty defined service", "service s = 80/tcp except any/tcp;\nallow s;\n", "FW0305", 1),
    ("from self to self", "allow ssh from self to self;\n", "FW0", 1),
    ("outside its block", ZONES + "from lan {\n  allow ssh from 10.9.9.9;\n}\n", "FW0", 5),
    ("a group with nothing", "group g = ;\n", "FW0", 1),
    ("a rule without a service", "allow from 10.0.0.1;\n", "FW0", 1),
    # families
    ("v4 to v6", "allow ssh from 10.0.0.1 to 2001:db8::1;\n", "FW0405", 1),
    ("v6 zone to v4 host", "zone six { interface eth6; network 2001:db8::/64; }\n"
     "allow ssh from six to 10.0.0.1;\n", "FW0405", 2),
    ("ipv6 option on v4 hosts", "allow ssh from 10.0.0.1 ipv6;\n", "FW0", 1),
    ("icmp6 from v4", "allow 128/icmp6 from 10.0.0.1;\n", "FW0", 1),
    ("icmp to v6", "allow echo-request/icmp to 2001:db8::1;\n", "FW0", 1),
    ("ipv4 and ipv6", "allow ssh ipv4 ipv6;\n", "FW0", 1),
    ("mixed range", "allow ssh from 10.0.0.1-2001:db8::1;\n", "FW0", 1),
    # numbers
    ("host bits", "network n = 192.168.0.1/24;\nallow ssh from n;\n", "FW0113", 1),
    ("host bits v6", "allow ssh;\nallow http from 2001:db8::1/64;\n", "FW0113", 2),
    ("prefix length 33", "allow ssh from 10.0.0.0/33;\n", "FW01", 1),
    ("prefix length 129", "allow ssh from 2001:db8::/129;\n", "FW01", 1),
    ("address 256", "allow ssh from 10.0.0.256;\n", "FW01", 1),
    ("address of five parts", "allow ssh from 10.0.0.1.2;\n", "FW0", 1),
    ("two double colons", "allow ssh from 2001::db8::1;\n", "FW0", 1),
    ("port 70000", "allow http;\nallow 70000/tcp;\n", "FW0111", 2),
    ("port of 30 digits", f"allow {'9' * 30}/tcp;\n", "FW01", 1),
    ("port range backwards", "allow 200-100/tcp;\n", "FW0112", 1),
    ("address range backwards", "allow ssh from 10.0.0.9-10.0.0.1;\n", "FW0112", 1),
    ("protocol 300", "allow 300/ip;\n", "FW01", 1),
    ("icmp type 300", "allow 300/icmp;\n", "FW01", 1),
    ("negative port", "allow -5/tcp;\n", "FW0", 1),
    ("rate of nothing", "allow ssh limit 0/second;\n", "FW01", 1),
    ("rate without a unit", "allow ssh limit 10;\n", "FW01", 1),
    ("rate of a fortnight", "allow ssh limit 10/fortnight;\n", "FW01", 1),
    ("rate too large", f"allow ssh limit {'9' * 25}/second;\n", "FW01", 1),
    ("30 february", "allow ssh until 2026-02-30;\n", "FW0115", 1),
    ("25 o'clock", "schedule s = daily 25:00-26:00;\nallow ssh during s;\n", "FW0116", 1),
    ("expired deny", "deny ssh until 2020-01-01;\n", "FW0512", 1),
    ("sport of icmp", "allow 8/icmp sport 5;\n", "FW0", 1),
    ("limit on deny", "deny ssh limit 5/second;\n", "FW0506", 1),
    ("limit on reject", "reject ssh limit 5/second;\n", "FW0506", 1),
    # twice
    ("host twice", "host a = 10.0.0.1;\nhost a = 10.0.0.2;\nallow ssh from a;\n", "FW0402", 2),
    ("host and network of one name", "host a = 10.0.0.1;\nnetwork a = 10.0.0.0/24;\nallow ssh;\n",
     "FW0402", 2),
    ("zone and host of one name", "host lan = 10.0.0.1;\nzone lan { interface eth1; }\nallow ssh;\n",
     "FW0402", 2),
    ("service twice", "service s = 80/tcp;\nservice s = 81/tcp;\nallow s;\n", "FW0302", 2),
    ("service of other case twice", "service s = 80/tcp;\nservice S = 81/tcp;\nallow s;\n", "FW0302", 2),
    ("built-in without override", "service ssh = 2222/tcp;\nallow ssh;\n", "FW0302", 1),
    ("override of nothing", "override service no-such = 2222/tcp;\nallow no-such;\n", "FW0310", 1),
    ("id twice", "allow ssh id x;\nallow http id x;\n", "FW0514", 2),
    ("default twice", "default deny;\nallow ssh;\ndefault input allow;\n", "FW0504", 3),
    ("option twice", "allow ssh log count log;\n", "FW0505", 1),
    ("timezone twice", "timezone +01:00;\ntimezone +02:00;\nallow ssh;\n", "FW0520", 2),
    ("policy twice", 'policy "a";\npolicy "b";\nallow ssh;\n', "FW0521", 2),
    ("schedule twice", "schedule s = daily 08:00-09:00;\nschedule s = daily 08:00-09:00;\n"
     "allow ssh during s;\n", "FW0509", 2),
    # zones
    ("zones cross", "zone a { network 10.0.0.0/24, 10.0.1.0/24; }\n"
     "zone b { network 10.0.1.0/24, 10.0.2.0/24; }\nallow ssh from a;\n", "FW0406", None),
    ("zones are equal", "zone a { network 10.0.0.0/24; }\nzone b { network 10.0.0.0/24; }\n"
     "allow ssh from a;\n", "FW04", None),
    ("interface in two zones", "zone a { interface eth0; }\nzone b { interface eth0; }\n"
     "allow ssh from a;\n", "FW04", None),
    ("zone with nothing", "zone a { }\nallow ssh from a;\n", "FW04", 1),
    ("interface name too long", "zone a { interface abcdefghijklmnopq; }\nallow ssh from a;\n",
     "FW0410", 1),
    ("interface name with a slash", "zone a { interface eth0/1; }\nallow ssh from a;\n", "FW0410", 1),
    ("zone in a network", "zone a { interface eth0; }\nnetwork n = a;\nallow ssh from n;\n", "FW04", 2),
    ("host of a prefix", "host h = 10.0.0.0/24;\nallow ssh from h;\n", "FW0411", 1),
    # cycles
    ("group cycle", "group a = b;\ngroup b = c;\ngroup c = a;\nallow ssh from a;\n", "FW0403", None),
    ("group cycle of 50", "".join(f"group g{index} = g{(index + 1) % 50};\n" for index in range(50))
     + "allow ssh from g0;\n", "FW0403", None),
    ("group in itself", "group a = 10.0.0.1, a;\nallow ssh from a;\n", "FW0403", 1),
    ("group behind its own except", "group a = 10.0.0.0/8 except b;\ngroup b = 10.0.0.1, a;\n"
     "allow ssh from a;\n", "FW0403", None),
    ("service cycle", "service a = b;\nservice b = a;\nallow a;\n", "FW0304", None),
    ("service in itself", "service a = 80/tcp, a;\nallow a;\n", "FW0304", 1),
    # shapes
    ("unterminated string", 'allow ssh because "no end;\nallow http;\n', "FW0103", 1),
    ("unterminated statement", "allow ssh\nallow http;\n", "FW0", None),
    ("unterminated block", ZONES + "from lan {\n  allow ssh;\n", "FW0", None),
    ("a block closed twice", ZONES + "from lan { allow ssh; }\n}\n", "FW0", 5),
    ("no verb", "ssh from 10.0.0.1;\n", "FW0", 1),
    ("a verb of other case", "Allow ssh;\n", "FW0", 1),
    ("two excepts", "allow ssh from 10.0.0.0/8 except 10.0.0.1 except 10.0.0.2;\n", "FW0", 1),
    ("to before from twice", "allow ssh from 10.0.0.1 to 10.0.0.2 from 10.0.0.3;\n", "FW0", 1),
    ("reserved name", "host any = 10.0.0.1;\nallow ssh;\n", "FW0", 1),
    ("a name of digits", "host 123 = 10.0.0.1;\nallow ssh;\n", "FW0", 1),
    ("a rule in a zone", "zone a { interface eth0; allow ssh; }\n", "FW0", 1),
    ("a zone in a block", ZONES + "from lan {\n  zone b { interface eth2; }\n}\n", "FW0", 5),
    ("stateless to an out-interface", "zone l { interface eth1; }\nzone w { interface eth0; }\n"
     "allow ssh from l to w stateless;\n", "FW0517", 3),
    # translation
    ("forward to two hosts", ZONES + "host h = 10.0.0.1, 10.0.0.2;\n"
     "forward http from wan to h;\n", "FW06", 5),
    ("forward of two ports to one", ZONES + "forward web from wan to a port 80;\n", "FW06", 4),
    ("forward to a network", ZONES + "forward http from wan to 10.0.0.0/24;\n", "FW0", 4),
    ("forward over families", ZONES + "forward http from wan at 2001:db8::1 to a;\n", "FW06", 4),
    ("snat to an unknown host", ZONES + "snat from lan to wan as nowhere;\n", "FW0", 4),
    ("masquerade of a host minus itself", ZONES + "masquerade from a except a to wan;\n", "FW0", 4),
)

FOLDERS = (
    ("include of a missing file", {"main.fw": 'allow ssh;\ninclude "gone.fw";\n'},
     "FW0201", 2, "main.fw"),
    ("include of itself", {"main.fw": 'include "main.fw";\nallow ssh;\n'}, "FW0205", 1, "main.fw"),
    ("include cycle", {"main.fw": 'include "b.fw";\nallow ssh;\n', "b.fw": 'include "sub/c.fw";\n',
                       "sub/c.fw": 'include "../main.fw";\n'}, "FW0205", None, None),
    ("rules twice", {"main.fw": 'include "r.fw";\ninclude "r.fw";\n', "r.fw": "allow ssh;\n"},
     "FW0206", 2, "main.fw"),
    ("mistake in an included file", {"main.fw": 'include "b.fw";\nallow ssh;\n',
                                     "b.fw": "host h = 10.0.0.1;\n\nhost h2 = 10.0.0.300;\n"},
     "FW01", 3, "b.fw"),
    ("include of a folder", {"main.fw": 'include "d";\nallow ssh;\n', "d/x.fw": ""},
     "FW0203", 1, "main.fw"),
    ("missing list", {"main.fw": 'network n = file "gone.txt";\nallow ssh from n;\n'},
     "FW0201", 1, "main.fw"),
    ("missing list although it may be empty",
     {"main.fw": 'network n = file "gone.txt" or empty;\nallow ssh from n;\n'},
     "FW0201", 1, "main.fw"),
    ("empty list", {"main.fw": 'network n = file "l.txt";\nallow ssh from n;\n', "l.txt": "# none\n"},
     "FW0404", 1, "main.fw"),
    ("empty list behind except",
     {"main.fw": 'network n = file "l.txt" or empty;\nallow ssh from 10.0.0.0/8 except n;\n',
      "l.txt": ""}, "FW0", 2, "main.fw"),
    ("bad line in a list", {"main.fw": 'network n = file "l.txt";\nallow ssh from n;\n',
                            "l.txt": "10.0.0.0/24\n10.0.1.0/24 # good\n10.0.2.1/24\n"},
     "FW0", 3, "l.txt"),
    ("a word in a list", {"main.fw": 'network n = file "l.txt";\nallow ssh from n;\n',
                          "l.txt": "10.0.0.1\nevil.example.com\n"}, "FW0207", 2, "l.txt"),
)

# (name, text, words that the messages must hold): the nearest name, links of a cycle, all in one run
MESSAGES = (
    ("an option without a service", "deny log;\n", ("'any log'",)),
    ("from behind to", ZONES + "allow ssh to lan from wan;\n", ("'from' places, 'to' places",)),
    ("places behind an option", ZONES + "allow ssh log from wan;\n", ("'from' places, 'to' places",)),
    ("the kind of a place", ZONES + "allow ssh from zone lan;\n", ("by its name alone: 'lan'",)),
    ("a netmask", "allow ssh from 10.0.0.0/255.255.255.0;\n", ("'10.0.0.0/24'",)),
    ("a netmask of a host", "allow ssh from 10.0.7.1/255.255.0.0;\n", ("'10.0.0.0/16'",)),
    ("a wildcard mask", "allow ssh from 10.0.0.0/0.0.0.255;\n", ("'10.0.0.0/24'",)),
    ("a full stop behind self", "allow ssh to self.;\n", ("did you mean 'self'?",)),
    ("a full stop behind a host", ZONES + "allow ssh to a.;\n", ("did you mean 'a'?",)),
    ("a full stop behind an address", "allow ssh to 10.0.0.1.;\n", ("ends with ';'",)),
    ("a zone of the clock", "timezone Europe/Paris;\nallow ssh;\n", ("FW0116", "+01:00")),
    ("a broken translation hides no empty rule", ZONES +
     "forward any/gre from wan to a port 22;\nallow ssh from self to self;\n", ("FW0605", "FW0501")),
    ("a broken expectation hides no empty rule", "expect shadowd because \"x\";\nallow dns;\n"
     "allow ssh from self to self;\n", ("FW0803", "FW0501")),
    ("a broken device hides no empty rule", "device R { target cisco-ios; cdp timer 1; interface e0 "
     "{ address 10.0.0.1/24; } }\nallow ssh from self to self;\n", ("FW0710", "FW0501")),
    ("nearest service", "allow kerberso;\n", ("did you mean 'kerberos'?",)),
    ("nearest zone", ZONES + "allow ssh to wna;\n", ("did you mean 'wan'?",)),
    ("nearest host", "host mail-server = 10.0.0.1;\nallow ssh from mail-sever;\n",
     ("did you mean 'mail-server'?",)),
    ("nearest of own services", "service pos-terminal = 9100/tcp;\nallow pos-treminal;\n",
     ("did you mean 'pos-terminal'?",)),
    ("the network of a host", "network n = 192.168.7.9/22;\nallow ssh from n;\n", ("192.168.4.0/22",)),
    ("where the first one stands", "host a = 10.0.0.1;\n\nhost a = 10.0.0.2;\nallow ssh from a;\n",
     ("main.fw:1:",)),
    ("links of a group cycle", "group one = two;\ngroup two = three;\ngroup three = one;\n"
     "allow ssh from one;\n", ("main.fw:1:", "main.fw:2:", "main.fw:3:")),
    ("links of a service cycle", "service one = two;\nservice two = three;\nservice three = one;\n"
     "allow one;\n", ("main.fw:1:", "main.fw:2:", "main.fw:3:")),
    ("every mistake in one run", "allow kerberso;\nallow ssh from nobody;\nallow 70000/tcp;\n"
     "group g = g;\nallow http because \"x;\nallow 9-5/tcp;\nallow ssh from 10.0.0.1/8;\n"
     "host h = 10.0.0.1;\nhost h = 10.0.0.2;\nallow ssh during never;\n",
     ("FW0301", "FW0401", "FW0111", "FW0403", "FW0103", "FW0112", "FW0113", "FW0402", "FW0508")),
    ("both zones that cross", "zone a { network 10.0.0.0/24, 10.0.1.0/24; }\n"
     "zone b { network 10.0.1.0/24, 10.0.2.0/24; }\nallow ssh from a;\n", ("main.fw:1:", "main.fw:2:")),
    ("both families", "host four = 10.0.0.1;\nhost six = 2001:db8::1;\nallow ssh from four to six;\n",
     ("IPv4", "IPv6")),
    ("the words of the source line and a caret", "allow kerberso;\n", ("allow kerberso;", "^")),
)
