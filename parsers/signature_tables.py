"""What mail clients, companies and lists put under a text: phone signatures, contact lines, disclaimers, footers."""

from __future__ import annotations

import re
from typing import Final

from parsers.tables import lines

PHONE_OPENINGS: Final = lines(
    """
    sent from
    sent via
    sent with
    sent by
    sent using
    sent through
    sent wirelessly
    sent on my
    sent securely
    get outlook for
    download outlook
    get the new outlook
    typed on
    written on my
    composed on my
    发自
    發自
    发送自
    傳送自
    寄自
    来自
    來自
    签名由
    簽名由
    获取 outlook
    獲取 outlook
    取得 outlook
    下载 outlook
    下載 outlook
    获取 ios
    获取 android
    获取适用于
    獲取適用於
    下载适用于
    下載適用於
    取得 ios
    取得 android
    取得適用於
    该邮件从移动设备发送
    此邮件从移动设备发送
    本邮件发送自
    signature is customized by
    envoyé de
    envoyé depuis
    envoyé sans fil
    envoyé à partir
    envoyé par
    envoyé avec
    obtenez outlook
    télécharger outlook
    provenance
    von meinem
    gesendet von
    gesendet mit
    von unterwegs
    diese nachricht wurde von meinem
    outlook für
    enviado desde
    enviado do
    enviado de
    enviado a partir
    enviado con
    enviado por
    enviado pelo
    obtener outlook
    obter o outlook
    inviato da
    inviato dal
    scarica outlook
    verzonden vanaf
    verstuurd vanaf
    verzonden met
    outlook voor
    sendt fra
    sendt via
    skickat från
    skickades från
    hämta outlook
    lähetetty
    hanki outlook
    wysłane z
    wysłano z
    pobierz outlook
    отправлено с
    отправлено из
    надіслано з
    iphoneから
    ipadから
    私のiphone
    나의
    내
    iphone'umdan
    iphone'dan
    odesláno z
    trimis de pe
    được gửi từ
    dikirim dari
    """
)
"""How a line begins that a phone or client adds by itself; what follows must name a device or an app, or be a word or two."""

VIA_OPENINGS: Final = tuple(
    lines(
        """
        从
        從
        由
        用
        使用
        通过
        透過
        本邮件由
        此邮件由
        von
        diese nachricht
        outlook
        iphone
        ipad
        android
        私の
        나의
        내
        """
    )
)
"""Openings of signatures that close with "sent": 从我的iPhone发送, Von meinem iPhone gesendet."""
DEVICE: Final = re.compile(
    r"iphone|ipad|ipod|ios\b|mac\b|macbook|android|blackberry|black berry|samsung|galaxy|huawei|honor|xiaomi|redmi|oppo|vivo|realme|oneplus|pixel|nexus|nokia|lumia|htc|motorola|moto\b|sony"
    r"|xperia|lg\b|meizu|zte|mobile|phone|smartphone|handheld|tablet|device|verizon|at&t|t-mobile|sprint|vodafone|wireless|mailbox|mail\b|mail for|email|e-mail|gmail|outlook|yahoo|hotmail"
    r"|windows|proton|spark|superhuman|postbox|nine\b|aqua|bluemail|typeapp|aol|thunderbird|edison|newton|polymail|airmail|canary|mailspring|front\b|hey\b|zoho|fastmail|tutanota|workspace|teams|notes"
    r"|手机|手機|平板|设备|設備|装置|邮箱|郵箱|信箱|邮件|郵件|客户端|客戶端|微信|钉钉|飞书|华为|華為|小米|荣耀|榮耀|三星|苹果|蘋果|魅族|一加|安卓|鸿蒙|网易|網易|大师|foxmail|wecom|welink|lark|dingtalk"
    r"|téléphone|portable|handy|smartfon|telefon|telefono|teléfono|celular|móvil|mobil|puhelim|телефон|яндекс|スマートフォン",
    re.IGNORECASE,
)
NOT_A_DEVICE: Final = re.compile(r"内心|內心|心底|肺腑|真心|desk|heart", re.IGNORECASE)
EXCUSE: Final = re.compile(
    r"^(?:please |kindly )?(?:excuse|pardon|forgive|sorry for|apologi[sz]e for).{0,80}|^.{0,30}\b(?:typos?|brevity|fat fingers)\b.{0,40}$",
    re.IGNORECASE,
)

DISCLAIMER_STARTS: Final = re.compile(
    r"^[\s*_=#-]*(?:confidentiality(?: notice| note)?\s*[:.\n-]|confidential(?:ity)? (?:notice|statement|disclaimer)|(?:legal )?disclaimer\b|legal notice\s*[:.]?|important notice\s*[:.]|privileged (?:and|/|&) confidential"
    r"|notice of confidentiality|privacy notice\s*:|p?\s?please consider (?:the environment|your environmental)|think before you print|p?\s?please don't print"
    r"|(?:this (?:e-?mail|message) (?:has been|was) (?:scanned|checked)|virus-free\b|checked by avg|no virus found|scanned by)"
    r"|免责声明|免責聲明|免責條款|保密声明|保密聲明|保密提示|法律声明|邮件保密|郵件保密|隐私声明|\[?声明\]?[:：]|请考虑环境|请在打印.{0,12}(?:环境|环保)|保护环境|为了环保|请注意环保|打印.{0,10}环境)",
    re.IGNORECASE,
)
_MAIL_IS: Final = r"(?:this|the|any)\s+(?:e-?mail|email|message|communication|transmission|mail|information\s+(?:contained|transmitted|in\s+this)|content)"
DISCLAIMER_BODY: Final = (
    re.compile(
        _MAIL_IS
        + r"[^\n]{0,240}?\b(?:confidential|privileged|intended\s+(?:only|solely|for|recipient)|addressee|proprietary)\b|intended\s+recipient|received\s+(?:this|it)\b[^\n]{0,60}\bin\s+error"
        r"|e-?mail[^\n]{0,40}\b(?:vertrauliche|confidentiel|confidencial|riservat)|(?:ce message|este mensaje|esta mensagem|il presente messaggio|questo messaggio|diese e-?mail|diese nachricht)",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:confidential|privileged|unauthori[sz]ed|in error|disclos|disseminat|notify (?:the sender|us)|delete (?:it|this|the)|liab(?:le|ility)|prohibited|vertraulich|irrtümlich|confidentiel|par erreur"
        r"|confidencial|por error|por engano|riservat|per errore)",
        re.IGNORECASE,
    ),
)
DISCLAIMER_BODY_ZH: Final = (
    re.compile(
        r"(?:本|此|该|這|该封|这封|這封)(?:电子)?(?:電子)?(?:邮件|郵件|電郵|电邮|信件|电子信件|信息)|收到本邮件|邮件及其附件|郵件及其附件"
    ),
    re.compile(
        r"保密|机密|機密|仅限|僅限|仅供|僅供|错收|錯收|误收|誤收|误发|错误(?:地)?(?:收到|发送)|非(?:指定|预期|本邮件)?(?:的)?收件人|不是(?:指定|预期|本邮件|目标)?的?收件人|未经(?:授权|许可|允许|发件人)|未經|擅自|披露|泄露|洩露|特定(?:的)?(?:收件|个人)"
        r"|专有信息|删除(?:本|此|该|邮件)|刪除(?:本|此|該|郵件)|法律责任|不承担|病毒"
    ),
)
DISCLAIMER_WORDS: Final = lines(
    """
    confidential
    privileged
    intended
    disclaimer
    notice
    environment
    think before you print
    don't print
    virus
    scanned
    unsubscribe
    mailing list
    listinfo
    received this
    wish to
    in error
    maillist
    vertraulich
    irrtümlich
    confidentiel
    confidencial
    riservat
    保密
    机密
    機密
    声明
    聲明
    免责
    免責
    错收
    錯收
    误收
    誤收
    环境
    環境
    环保
    仅限
    僅限
    仅供
    僅供
    退订
    邮件列表
    郵件列表
    收件人
    收件者
    本邮件
    此邮件
    本郵件
    """
)
"""Words of which each disclaimer and footer has at least one; a text without them is not searched."""
FOOTER: Final = re.compile(
    r"mailing list|listinfo|unsubscribe|you received this (?:message|email) because|to post to this group|to stop receiving|manage your subscription|邮件列表|郵件列表|退订|取消订阅|maillist|mailman/",
    re.IGNORECASE,
)
BANNER: Final = re.compile(
    r"^[\s*\[【(（!⚠️_-]*(?:caution|warning|external(?: e-?mail| sender| message)?|attention|notice|注意|警告|提醒|提示|外部邮件|安全提示|温馨提示|安全提醒|外部郵件).{0,12}[:：!\]】)）-]?.{0,200}"
    r"(?:originated|external|outside|unknown sender|do not click|links? or (?:open )?attachments|来自(?:公司)?外部|外部(?:邮件|发件人|邮箱|来源)|非(?:公司|本单位|内部)|谨慎(?:点击|打开)|陌生|來自外部)",
    re.IGNORECASE | re.DOTALL,
)

CONTACT: Final = re.compile(
    r"(?:^|[\s|,;/·•])(?:t|m|f|e|w|o|p|a|tel|mob(?:ile)?|mp|cell|phone|ph|fax|direct|office|e-?mail|mail|web(?:site)?|skype|wechat|weixin|qq|whatsapp|add(?:ress)?|电话|電話|座机|手机|手機|移动电话|行動電話|传真|傳真"
    r"|邮箱|郵箱|信箱|邮件|電郵|电邮|微信|网址|網址|网站|官网|地址|邮编|公司地址|办公地址|联系电话|联系方式|直线|分机|热线|总机)\s?(?:no\.?)?\s?(?:[:.|/]|(?=\+?\d))"
    r"|(?<![\w/])\+?\d[\d\s().-]{7,18}\d(?!\w)|https?://|www\.|[^\s@<>]+@[^\s@<>]+\.[a-z]{2,}"
    r"|有限公司|股份公司|集团|工作室|事务所|\b(?:co\.?,? ?ltd|ltd|inc|llc|gmbh|corp|plc|pty|s\.a\.|b\.v\.)\b\.?|(?:省|市|区|县|路|街|道|大厦|大廈|广场|中心)\d{1,5}(?:号|號|层|楼|室|座)",
    re.IGNORECASE,
)
COMPANY: Final = re.compile(
    r"有限公司|股份公司|公司$|集团|集團|工作室|事务所|事務所|研究院|大学$|\b(?:co\.?,? ?ltd|ltd|limited|inc|llc|llp|gmbh|corp|corporation|plc|pty|group|agency|studios?|partners|university|s\.a\.|b\.v\.)(?!\w)",
    re.IGNORECASE,
)
ROLE: Final = re.compile(
    r"\b(?:manager|director|head of|chief|officer|c[eftmo]o|president|vp|lead|leader|engineer|developer|designer|consultant|specialist|executive|assistant|coordinator|analyst|partner|founder|buyer|planner|producer|strategist|professor|secretary"
    r"|marketing|sales|procurement|purchasing|department|dept)\b|经理|經理|总监|總監|主管|主任|部长|部長|总裁|總裁|总经理|董事|助理|专员|專員|顾问|顧問|工程师|工程師|设计师|設計師|策划|策劃|秘书|秘書|负责人|負責人|(?:市场|品牌|销售|采购|财务|法务|运营|设计|研发|人事|行政)部",
    re.IGNORECASE,
)
"""What people are called in a company, or the department that they work in."""
STRONG_CONTACT: Final = re.compile(
    r"(?<![\w/])\+?\d[\d\s().-]{7,18}\d(?!\w)|https?://|www\.|[^\s@<>]+@[^\s@<>]+\.[a-z]{2,}", re.IGNORECASE
)
CLOSING: Final = re.compile(
    r"^(?:(?:with )?(?:best|kind|warm(?:est)?|many|with)?\s?(?:regards|wishes)|best|cheers|thanks(?: (?:a lot|and regards|& regards|in advance|again|so much))?|many thanks|thank you(?: very much)?|sincerely(?: yours)?|yours(?: sincerely| truly| faithfully)?"
    r"|respectfully|cordially|b\.?r\.?|rgds|regards|mit freundlichen grüßen|viele grüße|cordialement|saludos|atentamente|cordiali saluti|met vriendelijke groet(?:en)?"
    r"|此致|敬礼|顺颂商祺|順頌商祺|祝您?|祝好|谢谢|謝謝|多谢|感谢|商祺|顺祝商祺|祝商祺|敬上|谨上|祝工作顺利|祝您工作愉快|以上|此致敬礼|致礼|敬祝)[\s,，!！.。~]*$",
    re.IGNORECASE,
)
