"""What mail servers and providers write into bounces that follow no standard."""

from __future__ import annotations

import re
from typing import Final

DAEMONS: Final = re.compile(
    r"^(?:mailer[-_.]?daemon|mail[-_.]?daemon|mailerdaemon|postmaster|post-master|mdaemon|maildelivery|mail-delivery|mailsystem|mail-system|bounces?|bounce-.*|double-bounce|mailadmin|mail\.admin|mmdf|mta|smtp-daemon|microsoftexchange[0-9a-f]+"
    r"|mailer|uucp|daemon|maildeliverysystem|ndr|delivery-?(?:notification|failure|subsystem)|mail-noreply|system-?bounce|x\.?400.*|gwise|groupwise|.*-?gateway|interscan.*|symantec.*|nobody|mailmaster|returns?|failure.*)$",
    re.IGNORECASE,
)
WEAK_DAEMONS: Final = re.compile(
    r"^(?:no-?reply.*|do-?not-?reply.*|post_master|sysadmin|administrator|admin|.*-admin|.*-owner|owner-.*|.*-request|support|abuse|root|system)$",
    re.IGNORECASE,
)
"""Addresses that bounces come from at times, and much else; they need subject, text and address to agree."""
STRONG_DAEMONS: Final = re.compile(
    r"^(?:mailer[-_.]?daemon|mail[-_.]?daemon|mailerdaemon|postmaster|post-master|mdaemon|double-bounce|microsoftexchange[0-9a-f]+|mmdf)$",
    re.IGNORECASE,
)
DAEMON_NAMES: Final = re.compile(
    r"mail(?:er)?[\s-]?(?:delivery|daemon)|delivery (?:sub)?system|mail system|system administrator|postmaster|internet mail delivery|mail administrator|系统退信|退信|邮件系统|郵件系統|系统管理员|系統管理員|邮递系统|邮件投递",
    re.IGNORECASE,
)
SUBJECTS: Final = re.compile(
    r"undeliver|un-?deliverable|delivery[\s_-]*(?:status|failure|failed|problem|error|report|notification|has failed|unsuccessful|delay)|failure[\s-]*(?:notice|notification|delivery)|failed (?:mail|delivery|to deliver|message)|(?:returned|rejected|bounced?) (?:mail|message|e-?mail)|mail (?:delivery|system error|failure|returned|not delivered|status report)"
    r"|(?:message|mail|e-?mail) (?:could not be|not|was not|cannot be|couldn't be|wasn't|has not been|you sent) (?:delivered|sent)|message (?:status|delay|rejected|bounced)|non[- ]?(?:delivery|remis|recapit)|nondeliverable|notification d'état|could not (?:send|deliver) (?:message|mail)|unable to deliver|can't deliver|warning: (?:could not|message|your message|mail)"
    r"|returning message|mail error|bounce|user unknown|unknown (?:user|address)|address (?:not found|unknown)|not listed in|delayed mail|error sending|ndn:|unzustellbar|rückläufer|nicht zustellbar|échec|non distribu|no se (?:ha )?(?:puede|pudo) entreg|no entregado|devuelto|mancata consegna|impossibile recapitare|onbestelbaar|falha|não (?:pôde|entreg)|недостав|не доставлен|ошибка доставки|не удалось"
    r"|退信|退件|退回|无法(?:投递|送达|发送|传递)|無法(?:投遞|送達|傳遞|傳送|寄送)|未(?:送达|能送达|送達|传递|傳遞|投递|成功发送|能投递|能发送)|不能投递|(?:投递|发送|传送|寄送|送信|遞送|傳送)(?:失败|失敗|不成功)|传递失败|傳遞失敗|(?:投递|发送|遞送|傳送)(?:被)?(?:延迟|延遲)|邮件(?:未|不)|配信(?:不能|エラー|失敗)|送信(?:エラー|失敗|できません)|届け(?:られ)?ません",
    re.IGNORECASE,
)
STRONG_BODY: Final = re.compile(
    r"this is the (?:qmail-send program|mail system at host|mail delivery|postfix program|mail delivery agent|machine generated message|exim|mailer daemon)|hi\.? this is the |message that you sent (?:could not be|to one or more)|a message (?:that )?you sent (?:could not|has not|was not)|message created automatically by mail delivery software|automatically (?:generated|created) delivery status"
    r"|the following (?:addresses?|recipients?|mail|message|users?)[^\n]{0,60}(?:fail|fatal|error|could not|not be (?:reached|delivered)|permanent|undeliver|problem|rejected|unknown)|(?:did not|was not|wasn't|could ?n[o']t be|cannot be|couldn't be|has not been|not be|unable to be|were not) (?:reach(?:ed)?|delivered|deliver)|delivery (?:has failed|to the following|failed|failure|attempt)|fail(?:ed|ure) (?:to deliver|in delivering|delivering)|unable to deliver|undeliverable|can(?:not|'t) deliver"
    r"|address(?:\(es\)|es)? (?:not found|failed|listed below)|returned (?:to sender|mail|message|because)|transcript of session follows|user(?:name)? (?:unknown|not found|doesn't exist|is unknown)|no such (?:user|recipient|mailbox|address|account)|unknown (?:user|recipient|address|account)|mailbox (?:is )?(?:full|unavailable|not found|disabled|quota|does not exist)|over quota|quota exceeded|recipient (?:address )?rejected|account (?:is |has been )?(?:disabled|suspended|inactive|closed)"
    r"|not listed in (?:the )?(?:public )?(?:name|address|domino)|(?:could not|couldn't|will not|unable to) (?:be )?(?:relay|accept|find|locate|route)|(?:mail|message)[^\n]{0,60}(?:has been|was|is being|were) (?:rejected|returned|bounced|blocked|refused|delayed)|will (?:be retried|keep trying|continue to (?:be )?(?:try|attempt|retr))|still being retried|message will be retried|not yet been delivered|delivery temporarily"
    r"|退信|被退回|退回给您|(?:尚未|仍未|暂未)(?:送达|投递|发送|能送达|送達)|继续(?:尝试)?(?:投递|发送|重试)|无法(?:投递|送达|发送到|传递|将|发送)|未能(?:送达|投递|发送|成功)|無法(?:投遞|送達|傳遞|傳送|寄送)|投递失败|发送失败|邮箱不存在|地址不存在|(?:用户|收件人|帐户|账号|帐号|郵箱|信箱|收件者)[^\n]{0,24}不存在|没有找到|找不到|拒收|拒绝接收|拒絕|邮箱(?:已满|容量|空间)|信箱(?:已滿|容量)|超过(?:最大)?(?:容量|限额)"
    r"|konnte nicht zugestellt|nicht zugestellt|n'a pas pu être|n'ont pas pu|non distribué|no se (?:ha )?(?:pudo|puede) entregar|non è stato possibile|não (?:pôde|foi) (?:ser )?entreg|не (?:может быть|было|удалось|доставлен)|не существует|配信できません|届けることができません|ユーザー.{0,6}見つかりません|宛先.{0,12}(?:存在|見つかり)",
    re.IGNORECASE,
)
FAILURES: Final = re.compile(
    r"(?<!\d)[45]\d\d(?:[ -]|$)|\b[45]\.\d{1,3}\.\d{1,3}\b|unknown|no such|not found|does(?:n't| not) exist|reject|refus|fail|unavailable|disabled|inactive|suspend|full|quota|not (?:be )?(?:deliver|reach|listed|known|local|allowed|accept|exist|valid)|invalid|undeliver|unable|can(?:no|')t|could(?:n't| not)|error|expired|timed? ?out|denied|blocked|returned|unrout|bad (?:destination|address)|illegal|hop count|relay"
    r"|不存在|失败|失敗|拒|已满|已滿|无法|無法|退|未能|错误|錯誤|超过|超過|禁用|停用|无效|無效|没有|找不到|存在しません|エラー|nicht|inconnu|desconocid|sconosciut|неизвест|не существует|недоступ",
    re.IGNORECASE,
)
LEADS: Final = re.compile(
    r"(?:following|these|to|below|recipient|address|user|destin|rcpt|mailbox)[^\n]{0,90}(?::|：|\.\.\.|-{3,})\s*$|failed:|permanent fatal errors|could not be (?:reached|delivered)|收件人|收件者|地址|投递到|发送到|傳送到|信箱|邮箱|宛先|destinataire|empfänger|destinatario",
    re.IGNORECASE,
)
DELAYS: Final = re.compile(
    r"(?:will|shall|continues?|going) (?:be |keep |to )?(?:be )?(?:retr|try|attempt)|still (?:being )?(?:retri|trying)|not yet (?:been )?delivered|delivery (?:temporarily|delay)|delayed|no action is required|you do not need to resend|延迟|延時|仍(?:会|在)(?:继续)?(?:尝试|重试)|继续(?:尝试|重试)",
    re.IGNORECASE,
)
ORIGINAL_BEGINS: Final = re.compile(
    r"^[ \t>]*+(?:-{2,}[^\n]{0,30}(?:below this line is a copy|original message|this is a copy|returned message|message header|unsent message|undelivered message|forwarded message|included is the message|the header of the original|start of (?:the )?(?:returned|original) message|enclosed is|original (?:mail|e-?mail|text|header)|原始邮件|原邮件|原郵件|原信|邮件原文)[^\n]*"
    r"|(?:original message (?:headers?|follows)|your (?:original )?message (?:follows|headers?|is (?:attached|enclosed|included))|the text of (?:the )?(?:original|your) message|message header(?:s)? follow|below is (?:a copy|the)|original headers|原始邮件头|邮件头|以下为原邮件|the original message (?:was|follows|headers)[^\n]{0,30}:?)\s*:?\s*-*"
    r"|return-path:\s*<|received:\s+from\s.*)$",
    re.IGNORECASE | re.MULTILINE,
)
