"""Domains where anybody may have an address: a person there is a client by themselves, not a company."""

from __future__ import annotations

_CHINESE = """
qq.com vip.qq.com foxmail.com 163.com vip.163.com 126.com vip.126.com yeah.net 188.com netease.com 163.net 263.net
263.net.cn aliyun.com sina.com sina.cn sina.com.cn vip.sina.com vip.sina.cn sohu.com
vip.sohu.com tom.com vip.tom.com 139.com 189.cn wo.cn wo.com.cn 21cn.com 21cn.net 2980.com
eyou.com hainan.net china.com chinaren.com citiz.net online.sh.cn
gmail.cn hotmail.cn live.cn msn.cn outlook.cn yahoo.cn yahoo.com.cn
pchome.com.tw hinet.net msa.hinet.net ms1.hinet.net seed.net.tw kimo.com yahoo.com.tw yahoo.com.hk
netvigator.com hongkong.com ctm.net macau.ctm.net biznetvigator.com i-cable.com hkbn.net
"""

_INTERNATIONAL = """
gmail.com googlemail.com outlook.com hotmail.com live.com msn.com windowslive.com passport.com
outlook.at outlook.be outlook.cl outlook.co.id outlook.co.il outlook.co.nz outlook.co.th outlook.com.ar outlook.com.au
outlook.com.br outlook.com.gr outlook.com.tr outlook.com.vn outlook.cz outlook.de outlook.dk outlook.es outlook.fr
outlook.hu outlook.ie outlook.in outlook.it outlook.jp outlook.kr outlook.lv outlook.my outlook.ph outlook.pt
outlook.sa outlook.sg outlook.sk
hotmail.be hotmail.ca hotmail.ch hotmail.co.jp hotmail.co.nz hotmail.co.th hotmail.co.uk hotmail.com.ar hotmail.com.au
hotmail.com.br hotmail.com.hk hotmail.com.mx hotmail.com.tr hotmail.com.tw hotmail.de hotmail.es hotmail.fr hotmail.it
hotmail.my hotmail.nl hotmail.no hotmail.ph hotmail.se hotmail.sg
live.at live.be live.ca live.cl live.co.kr live.co.uk live.co.za live.com.ar live.com.au live.com.mx live.com.my
live.com.pt live.com.sg live.de live.dk live.fr live.hk live.ie live.in live.it live.jp live.nl live.no live.ru live.se
yahoo.com ymail.com rocketmail.com myyahoo.com yahoo.at yahoo.be yahoo.ca yahoo.ch yahoo.cl yahoo.co.id yahoo.co.in
yahoo.co.jp yahoo.co.kr yahoo.co.nz yahoo.co.th yahoo.co.uk yahoo.co.za yahoo.com.ar yahoo.com.au yahoo.com.br
yahoo.com.co yahoo.com.mx yahoo.com.my yahoo.com.pe yahoo.com.ph yahoo.com.sg yahoo.com.tr yahoo.com.ve yahoo.com.vn
yahoo.de yahoo.dk yahoo.es yahoo.fr yahoo.gr yahoo.hu yahoo.ie yahoo.in yahoo.it yahoo.nl yahoo.no yahoo.pl yahoo.pt
yahoo.ro yahoo.se
aol.com aim.com aol.co.uk aol.de aol.fr love.com wow.com ygm.com games.com
icloud.com me.com mac.com
proton.me protonmail.com protonmail.ch pm.me tutanota.com tutanota.de tutamail.com tuta.io tuta.com keemail.me
fastmail.com fastmail.fm fastmail.cn fastmail.net fastmail.org fastmail.to fastmail.us fastmail.in fastmail.jp fmail.co.uk
messagingengine.com mailbox.org posteo.de posteo.net hey.com runbox.com startmail.com mailfence.com disroot.org riseup.net
hushmail.com hush.com hush.ai countermail.com ctemplar.com
zoho.com zoho.eu zoho.in zoho.com.cn zohomail.com zohomail.eu zohomail.in
gmx.com gmx.net gmx.de gmx.at gmx.ch gmx.us gmx.co.uk gmx.fr gmx.es gmx.info gmx.org web.de email.de freenet.de t-online.de
arcor.de online.de 1und1.de mail.de
mail.com email.com usa.com post.com consultant.com europe.com asia.com myself.com engineer.com writeme.com iname.com
dr.com cheerful.com techie.com accountant.com workmail.com lawyer.com linuxmail.org contractor.net
yandex.com yandex.ru yandex.ua yandex.by yandex.kz ya.ru narod.ru mail.ru inbox.ru list.ru bk.ru internet.ru rambler.ru
lenta.ru ro.ru myrambler.ru ukr.net i.ua meta.ua bigmir.net
naver.com hanmail.net daum.net nate.com kakao.com korea.com dreamwiz.com empal.com hanmir.com
docomo.ne.jp ezweb.ne.jp softbank.ne.jp i.softbank.jp au.com nifty.com biglobe.ne.jp so-net.ne.jp ocn.ne.jp excite.co.jp
infoseek.jp goo.jp rakuten.jp
rediffmail.com indiatimes.com sify.com in.com vsnl.net
orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr bbox.fr numericable.fr club-internet.fr voila.fr aliceadsl.fr
libero.it virgilio.it alice.it tin.it tiscali.it fastwebnet.it email.it inwind.it iol.it
telefonica.net terra.es terra.com terra.com.br uol.com.br bol.com.br ig.com.br globo.com globomail.com r7.com
oi.com.br zipmail.com.br
btinternet.com btopenworld.com talktalk.net virginmedia.com virgin.net blueyonder.co.uk ntlworld.com sky.com
o2.co.uk tiscali.co.uk plusnet.com
comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net earthlink.net juno.com netzero.net
optonline.net optimum.net roadrunner.com rr.com windstream.net frontier.com frontiernet.net centurylink.net q.com
embarqmail.com mindspring.com suddenlink.net prodigy.net pacbell.net ameritech.net swbell.net
shaw.ca rogers.com sympatico.ca bell.net telus.net videotron.ca cogeco.ca
bigpond.com bigpond.net.au optusnet.com.au iinet.net.au tpg.com.au xtra.co.nz
telenet.be skynet.be proximus.be ziggo.nl kpnmail.nl planet.nl xs4all.nl hetnet.nl home.nl upcmail.nl chello.nl
bluewin.ch hispeed.ch sunrise.ch
wp.pl o2.pl onet.pl op.pl poczta.onet.pl interia.pl gazeta.pl tlen.pl
seznam.cz email.cz centrum.cz atlas.cz volny.cz post.cz azet.sk centrum.sk zoznam.sk
freemail.hu citromail.hu indamail.hu abv.bg mail.bg dir.bg
telia.com comhem.se spray.se bredband.net online.no tele2.se telenor.no jubii.dk mail.dk tdcadsl.dk
luukku.com suomi24.fi pp.inet.fi kolumbus.fi
sapo.pt iol.pt clix.pt mynet.com superonline.com walla.co.il walla.com bezeqint.net netvision.net.il
singnet.com.sg starhub.net.sg pacific.net.sg streamyx.com tm.net.my
duck.com mozmail.com simplelogin.com anonaddy.com addy.io inbox.com lycos.com excite.com mailinator.com
guerrillamail.com 10minutemail.com yopmail.com trashmail.com lavabit.com safe-mail.net
"""

FREE_MAIL_DOMAINS: frozenset[str] = frozenset((_CHINESE + _INTERNATIONAL).split())
"""Lower-case domains of free and access-provider mail, Chinese and international. Compare with a lower-cased domain."""
