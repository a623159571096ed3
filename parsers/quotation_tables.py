"""What mail clients write around a quotation, by language: field labels, markers of the original mail, verbs of attribution.

Adding a client or a language is adding words here. Everything is in the folded form of `quotation_lines.fold`: lower case,
half-width colons, no blanks within a label.
"""

from __future__ import annotations

from typing import Final

from parsers.tables import lines, words

# The labels of a quoted header, without blanks: "发 件 人", "发\u2003件人" and "Reply - To" are looked up as one word.
_LABELS: Final = {
    "from": """
        from 发件人 發件人 寄件者 寄件人 发信人 發信人 寄信人 发送人 發送人 发送者 發送者 发件者 来自 來自 发件人邮箱 发件人地址 寄件者地址
        von absender de expéditeur expediteur del'expéditeur da mittente van afzender från avsändare fra afsender avsender lähettäjä
        od nadawca remetente remitente от откого отправитель від 差出人 送信者 送信元 보낸사람 보낸이 발신 sender gönderen kimden feladó odesílatel
        odesielateľ dela από מאת من từ dari sentby
    """,
    "date": """
        date sent senton sentat datesent senttime 发送时间 發送時間 发送日期 發送日期 传送时间 傳送時間 傳送日期 寄件日期 寄件時間 寄信日期 寄信時間 日期 时间 時間
        已发送 已發送 已傳送 已寄送 已寄出 發送於 发送于 发件时间 發件時間 发件日期 發件日期 发信时间 发信日期 發信時間 發信日期 发出时间 邮件时间 收件时间 收到时间 送达时间 收信时间 接收时间
        gesendet gesendetam datum envoyé envoyéle dateenvoi datedenvoi fecha enviado enviadoel enviadoem enviada enviadaem inviato inviatoil data
        verzonden verzondenop skickat skickades sendt dato lähetetty lähetysaika päivämäärä päiväys wysłano wysłane datawysłania дата отправлено
        датаотправки надіслано 送信日時 日付 日時 送信日 보낸날짜 날짜 보낸시간 발신일 gönderildi gönderilme tarih elküldve küldve dátum odesláno odoslané poslané
        trimis ημερομηνία στάλθηκε נשלח تاريخ đãgửi ngày terkirim tanggal dikirim sentdate date/time
    """,
    "to": """
        to recipient recipients 收件人 收件者 收信人 接收人 接收者 发送至 發送至 发给 至 an empfänger à destinataire pour para destinatario destinatário a aan ontvanger
        till mottagare til modtager mottaker vastaanottaja do adresat кому получатель 宛先 送信先 受信者 받는사람 받는이 수신 kime alıcı címzett komu pro către
        προς אל إلى tới đến kepada
    """,
    "cc": """
        cc c.c 抄送 抄送人 抄送给 副本 副本抄送 副本收件者 副本收件人 kopie kopiean ccàcopie copieà copie copia conoscenza perconoscenza kopia kopi kopio dw копия
        copiepour 참조 bilgi másolatotkap másolat vkopii κοιν עותק نسخة cópia
    """,
    "bcc": "bcc 密送 密件副本 密件抄送 暗送 blindkopie cci cco скрытаякопия 숨은참조",
    "subject": """
        subject 主题 主題 主旨 标题 標題 邮件主题 邮件标题 郵件主旨 郵件標題 題目 题目 件名 betreff objet sujet asunto oggetto onderwerp ämne emne aihe temat
        assunto тема 제목 konu tárgy předmět predmet subiect θέμα נושא موضوع chủđề tiêuđề perihal subjek subj
    """,
    "reply-to": "reply-to replyto 回复至 回复给 回覆給 回复地址 回信地址 答复至 antwortan répondreà respondera rispondia 返信先 ответить",
    "other": """
        attachments attachment attach 附件 附加文件 附檔 importance 重要性 priority 优先级 优先顺序 sensitivity 敏感度 organization organisation 组织 message-id
        messageid newsgroups mailing-list list resent-from resent-date categories signedby mailedby 邮件编号 大小 size anlagen anlage piècesjointes pj
        datosadjuntos adjuntos allegati bijlagen bifogadefiler wichtigkeit importancia priorité flag status 标记 添付ファイル 첨부 envelope-to x-mailer
        user-agent return-path in-reply-to references mime-version content-type 发件部门
    """,
}
ROLES: Final[dict[str, str]] = {word: role for role, table in _LABELS.items() for word in words(table)}
"""Folded label → from, date, to, cc, bcc, subject, reply-to or other."""

NOT_MAIL_LABELS: Final = frozenset(
    words(
        """
        电话 電話 手机 手機 联系电话 聯絡電話 联系方式 地址 寄件地址 收件地址 发件地址 發件地址 收货地址 收貨地址 单号 單號 快递单号 运单号 運單號 物流单号 快递公司 快递 物品 内件 托寄物
        件数 件數 数量 數量 重量 运费 運費 包裹 邮编 郵遞區號 收件电话 寄件电话 发件电话 签收人 签收 寄件公司 收件公司 编号 編號 文号 发文字号 页数 頁數 总页数 传真 傳真 地点 地點 会议室
        phone tel telephone mobile address tracking trackingno trackingnumber waybill parcel courier carrier weight contents quantity pieces
        fax pages noofpages ref ourref yourref venue location room attendees
        """
    )
)
"""Labels of delivery slips, letterheads, fax sheets and meeting notes: a block that has one is no quoted header."""

MARKERS: Final = frozenset(
    lines(
        """
        original message
        original
        original mail
        original email
        original e-mail
        original appointment
        reply message
        replied message
        reply original mail
        quoted message
        forwarded message
        forwarded mail
        forwarded email
        forward message
        forwarded by
        begin forwarded message
        原始邮件
        原始郵件
        原邮件
        原郵件
        原始邮件信息
        原始邮件内容
        原始信件
        原始信息
        原始訊息
        原始消息
        原始讯息
        邮件原件
        邮件原文
        郵件原件
        郵件原文
        原邮件内容
        回复的原邮件
        回覆的原郵件
        回复的邮件
        回复的邮件信息
        回复邮件
        回复邮件信息
        答复邮件
        历史邮件
        转发的邮件
        转发的原邮件
        转发的邮件信息
        转发邮件
        转发邮件信息
        转发的消息
        转发信息
        转发消息
        已转发邮件
        轉寄郵件
        轉寄的郵件
        轉寄訊息
        已轉寄的郵件
        转寄邮件
        被转发邮件信息
        被转发的邮件
        开始转发的邮件
        以下是转发的邮件
        以下是轉寄的郵件
        以下是被转发的邮件
        开始转发的信件
        下面是被转发邮件的内容
        下面是被轉寄的郵件
        开始已转发邮件
        開始轉寄郵件
        ursprüngliche nachricht
        original-nachricht
        originalnachricht
        weitergeleitete nachricht
        anfang der weitergeleiteten nachricht
        message d'origine
        message original
        message initial
        message transféré
        message transmis
        début du message transféré
        début du message réexpédié
        mensaje original
        mensaje reenviado
        inicio del mensaje reenviado
        messaggio originale
        messaggio inoltrato
        inizio messaggio inoltrato
        oorspronkelijk bericht
        oorspronkelijke bericht
        doorgestuurd bericht
        begin doorgestuurd bericht
        ursprungligt meddelande
        originalmeddelande
        vidarebefordrat meddelande
        vidarebefordrat brev
        vidarebefordrat mail
        oprindelig meddelelse
        oprindelig besked
        videresendt meddelelse
        videresendt besked
        opprinnelig melding
        videresendt melding
        alkuperäinen viesti
        välitetty viesti
        mensagem original
        mensagem encaminhada
        início da mensagem reencaminhada
        wiadomość oryginalna
        oryginalna wiadomość
        wiadomość przekazana dalej
        treść przekazanej wiadomości
        исходное сообщение
        пересылаемое сообщение
        пересланное сообщение
        начало переадресованного сообщения
        元のメッセージ
        転送メッセージ
        転送されたメッセージ
        원본 메시지
        원본메일
        전달된 메시지
        původní zpráva
        přeposlaná zpráva
        eredeti üzenet
        továbbított üzenet
        orijinal mesaj
        iletilmiş mesaj
        iletilen ileti
        tin nhắn gốc
        thư chuyển tiếp
        pesan terusan
        mesaj original
        mesaj redirecționat
        προωθημένο μήνυμα
        """
    )
)
FORWARD_SIGNS: Final = words(
    """
    forward 转发 轉寄 轉發 转寄 weitergeleitet transféré transmis réexpédié reenviado inoltrato doorgestuurd vidarebefordrat videresendt välitetty encaminhada
    reencaminhada przekazan пересыл переслан переадресован 転送 전달 přeposlan továbbít iletil chuyển.tiếp terusan redirecționat προωθημένο
    """
)
"""A marker or opening line that has one of these speaks of a forwarded mail, not of the mail answered."""

VERBS_AT_END: Final = words(
    """
    wrote writes said sent wrote.the.following written 写道 寫道 写到 寫到 写了 寫了 写 寫 说道 说 來信 来信 撰写 写邮件道 的邮件 发送
    schrieb geschrieben folgendes schreibt a.écrit à.écrit ecrit écrit escribió escribio escribe ha.scritto scritto scrive schreef het.volgende.geschreven geschreven
    skrev skrev.följande skrev.følgende escreveu kirjoitti napisał(a) napisał napisała pisze написал(а) написал написала пишет пише 書きました 書いた のメール のメッセージ 작성
    작성함 님이.작성 썼습니다 yazdı şunu.yazdı írta írta: napsal(a) napsal napísal(a) a.scris έγραψε כתב כתבה כתב/ה كتب đã.viết menulis viết wrote.to.me вы.писали писали писал писала ви.писали pošle ezt.írta
    """
)
"""A verb that closes an attribution: "On … John wrote:", "张三 于 … 写道：". Longer ones are tried first."""
VERBS_WITHIN: Final = words(
    "写于 寫於 写自 schrieb schreef skrev skreiv escribió scripsit wrote sent kirjoitti írta napsal napisał написал пишет geschreven"
)
"""A verb that stands before the name: "Am … schrieb John:", "Op … schreef John:", "Den … skrev John:"."""
QUOTING_WORDS: Final = words("quoting zitat.von citando citat.från quotando citation.de 引用 quote.from")
OPENINGS: Final = words(
    """
    on at am le el il op em den på dnia w.dniu dne dňa vào pada στις la il.giorno il.gg a.data data 在 于 於 in.data el.día le.jeu a a.les
    2ème von op.di med wt pn śr czw sob niedz
    """
)
"""Words that open an attribution; one that opens with a date, a weekday or a name with its address needs none."""
SALUTATIONS: Final = words("hi hello dear hey hallo bonjour 你好 您好 大家好 各位 尊敬 亲爱 親愛")
