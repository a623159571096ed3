"""What mail providers are like: where they listen, how one logs in, and what they do differently.

Facts are from the providers' own help pages. A provider is known by the domain of an address or by the name of a host,
never by asking the network.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from assistant.mail.free_mail import FREE_MAIL_DOMAINS
from assistant.mail.settings import Authentication, TransportSecurity

__all__ = ["FREE_MAIL_DOMAINS", "PROVIDERS", "Endpoint", "Hint", "Provider", "Quirks", "provider_at", "provider_for"]

IMPLICIT: TransportSecurity = "implicit"
STARTTLS: TransportSecurity = "starttls"


@dataclass(frozen=True, slots=True)
class Endpoint:
    host: str
    port: int
    tls: TransportSecurity


@dataclass(frozen=True, slots=True)
class Hint:
    """One thing a person must do before logging in can work, in both languages."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        return self.zh if language.lower().startswith("zh") else self.en


@dataclass(frozen=True, slots=True)
class Quirks:
    """Where a provider departs from the protocol. Whole messages are always asked for as BODY.PEEK[], which works
    everywhere, so that is no quirk.

    needs_id: SELECT is refused until the client has said who it is (RFC 2971).
    idle: pushes are worth waiting for; else the mailbox is polled every `poll_seconds`.
    daily_bytes: what may be downloaded in a day before the provider locks the mailbox; 0 means nobody says.
    max_connections: how many connections at once one mailbox may have; 0 means nobody says.
    few_logins: frequent logins are punished: keep the connection and wait longer before the next one.
    """

    needs_id: bool = False
    idle: bool = True
    poll_seconds: float = 60.0
    daily_bytes: int = 0
    max_connections: int = 0
    few_logins: bool = False


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider. `auth` names the ways to log in, best first. `domains` are those whose addresses live there."""

    name: str
    domains: frozenset[str]
    imap: Endpoint
    smtp: Endpoint
    auth: tuple[Authentication, ...]
    hint: Hint
    quirks: Quirks = field(default_factory=Quirks)
    oauth: Literal["", "google", "microsoft"] = ""
    other_hosts: frozenset[str] = frozenset()


PASSWORD: tuple[Authentication, ...] = ("password",)
NETEASE_QUIRKS = Quirks(needs_id=True, idle=False, poll_seconds=55.0, few_logins=True)
TENCENT_QUIRKS = Quirks(needs_id=True, poll_seconds=60.0, few_logins=True)


def _netease_hint(site: str) -> Hint:
    return Hint(
        zh=f"在 {site} 网页邮箱的“设置 → POP3/SMTP/IMAP”里开启 IMAP/SMTP 服务，用生成的授权码登录，不是邮箱密码。",
        en=f"In the web mail of {site}, Settings → POP3/SMTP/IMAP, switch on IMAP/SMTP and log in with the "
        "authorisation code (授权码) shown there, not with the mailbox password.",
    )


def _app_password_hint(name: str, place_zh: str, place_en: str) -> Hint:
    return Hint(
        zh=f"{name} 需要应用专用密码：{place_zh}，不能用账户密码。",
        en=f"{name} wants an app password: {place_en}. The password of the web site does not work.",
    )


def _plain(  # one row of the table
    name: str,
    domains: str,
    imap: str,
    smtp: str,
    hint: Hint,
    *,
    smtp_port: int = 465,
    quirks: Quirks | None = None,
    other_hosts: str = "",
) -> Provider:
    return Provider(
        name=name,
        domains=frozenset(domains.split()),
        imap=Endpoint(imap, 993, IMPLICIT),
        smtp=Endpoint(smtp, smtp_port, STARTTLS if smtp_port == 587 else IMPLICIT),
        auth=PASSWORD,
        hint=hint,
        quirks=quirks or Quirks(),
        other_hosts=frozenset(other_hosts.split()),
    )


def _netease(domain: str, imap: str = "", smtp: str = "") -> Provider:
    return _plain(
        f"NetEase {domain}",
        domain,
        imap or f"imap.{domain}",
        smtp or f"smtp.{domain}",
        _netease_hint(domain),
        quirks=NETEASE_QUIRKS,
    )


def _sina(domain: str) -> Provider:
    return _plain(
        f"Sina {domain}",
        domain,
        f"imap.{domain}",
        f"smtp.{domain}",
        Hint(
            zh="在新浪邮箱“设置区 → 客户端 pop/imap/smtp”里开启 IMAP 服务，用页面给出的客户端授权码登录。",
            en="In Sina Mail, Settings → client POP/IMAP/SMTP, switch on IMAP and log in with the client authorisation "
            "code (授权码) given there.",
        ),
        quirks=Quirks(idle=False, poll_seconds=60.0),
    )


_ZOHO_HINT = _app_password_hint(
    "Zoho Mail",
    "在 accounts.zoho.com 的“安全 → 应用专用密码”里生成，并在邮箱设置里开启 IMAP",
    "make one at accounts.zoho.com, Security → App Passwords, and switch on IMAP in the mail settings",
)

PROVIDERS: tuple[Provider, ...] = (
    Provider(
        name="Gmail",
        domains=frozenset({"gmail.com", "googlemail.com"}),
        imap=Endpoint("imap.gmail.com", 993, IMPLICIT),
        smtp=Endpoint("smtp.gmail.com", 465, IMPLICIT),
        auth=("oauth2", "password"),
        hint=Hint(
            zh="Gmail 不接受账户密码：用 OAuth2 授权，或先开启两步验证，再到 myaccount.google.com/apppasswords 生成 16 位应用专用密码。",
            en="Gmail does not take the account's password: authorise with OAuth2, or turn on 2-Step Verification and "
            "make a 16-letter app password at myaccount.google.com/apppasswords.",
        ),
        # Google's published bandwidth limits: 2,500 MB down a day, 15 connections at once.
        quirks=Quirks(daily_bytes=2_500_000_000, max_connections=15),
        oauth="google",
        other_hosts=frozenset({"imap.googlemail.com", "smtp.googlemail.com"}),
    ),
    Provider(
        name="Microsoft 365",
        domains=frozenset(
            [
                "outlook.com",
                "hotmail.com",
                "live.com",
                "msn.com",
                "live.cn",
                "outlook.com.br",
                "outlook.de",
                "outlook.fr",
                "outlook.jp",
                "outlook.kr",
                "hotmail.co.uk",
                "hotmail.fr",
                "hotmail.de",
                "hotmail.it",
                "hotmail.es",
                "live.co.uk",
                "live.fr",
                "live.de",
                "live.jp",
                "onmicrosoft.com",
                "partner.onmschina.cn",
            ]
        ),
        imap=Endpoint("outlook.office365.com", 993, IMPLICIT),
        smtp=Endpoint("smtp.office365.com", 587, STARTTLS),
        auth=("oauth2",),
        hint=Hint(
            zh="Microsoft 365 和 Outlook.com 只接受 OAuth2：先授权（device code），租户管理员还要允许该邮箱使用 IMAP 和“经过身份验证的 SMTP”。",
            en="Microsoft 365 and Outlook.com take OAuth2 only: authorise by device code; the tenant's administrator must "
            "also allow IMAP and authenticated SMTP for this mailbox.",
        ),
        quirks=Quirks(few_logins=True, max_connections=16),
        oauth="microsoft",
        other_hosts=frozenset(
            {
                "imap-mail.outlook.com",
                "smtp-mail.outlook.com",
                "imap.outlook.com",
                "partner.outlook.cn",
                "smtp.partner.outlook.cn",
            }
        ),
    ),
    _plain(
        "Tencent Exmail",
        "exmail.qq.com",
        "imap.exmail.qq.com",
        "smtp.exmail.qq.com",
        Hint(
            zh="在企业微信邮箱（exmail.qq.com）“设置 → 客户端设置”里开启 IMAP/SMTP；开启安全登录后要用客户端专用密码（授权码）登录。",
            en="In Exmail (exmail.qq.com), Settings → Client settings, switch on IMAP/SMTP; with secure login on, log in "
            "with the client password (授权码) made there.",
        ),
        quirks=TENCENT_QUIRKS,
        other_hosts="hwimap.exmail.qq.com hwsmtp.exmail.qq.com",
    ),
    _plain(
        "QQ Mail",
        "qq.com foxmail.com vip.qq.com",
        "imap.qq.com",
        "smtp.qq.com",
        Hint(
            zh="在 QQ 邮箱“设置 → 账号与安全 → 安全设置”里开启 POP3/IMAP/SMTP 服务，用生成的 16 位授权码登录，不是 QQ 密码。",
            en="In QQ Mail, Settings → Account & security, switch on POP3/IMAP/SMTP and log in with the 16-letter "
            "authorisation code (授权码), not with the QQ password.",
        ),
        quirks=TENCENT_QUIRKS,
    ),
    _netease("163.com"),
    _netease("126.com"),
    _netease("yeah.net"),
    _netease("vip.163.com"),
    _netease("vip.126.com"),
    _netease("188.com"),
    _plain(
        "NetEase Qiye",
        "qiye.163.com",
        "imap.qiye.163.com",
        "smtp.qiye.163.com",
        Hint(
            zh="在网易企业邮箱“设置 → 客户端设置”里开启 IMAP/SMTP，并生成客户端授权密码，用它登录。",
            en="In NetEase Qiye mail, Settings → Client settings, switch on IMAP/SMTP, make a client authorisation "
            "password (客户端授权密码) and log in with it.",
        ),
        quirks=NETEASE_QUIRKS,
        other_hosts="imaphz.qiye.163.com smtphz.qiye.163.com imap.ym.163.com smtp.ym.163.com",
    ),
    _plain(
        "Aliyun Mail",
        "aliyun.com",
        "imap.aliyun.com",
        "smtp.aliyun.com",
        Hint(
            zh="在阿里邮箱个人版“设置 → 客户端设置”里允许第三方客户端；开启安全密码后要用生成的客户端安全密码登录。",
            en="In Aliyun personal mail, Settings → Client settings, allow third-party clients; with client passwords on, "
            "log in with the one made there.",
        ),
    ),
    _plain(
        "Alibaba Mail for business",
        "qiye.aliyun.com mxhichina.com",
        "imap.qiye.aliyun.com",
        "smtp.qiye.aliyun.com",
        Hint(
            zh="阿里企业邮箱：管理员要允许 IMAP/SMTP；开启三方客户端安全密码后，在“设置 → 账号与安全”里生成并用它登录。",
            en="Alibaba Mail: the administrator must allow IMAP/SMTP; with third-party client passwords on, make one in "
            "Settings → Account & security and log in with it.",
        ),
        other_hosts="imap.mxhichina.com smtp.mxhichina.com",
    ),
    _plain(
        "iCloud Mail",
        "icloud.com me.com mac.com",
        "imap.mail.me.com",
        "smtp.mail.me.com",
        _app_password_hint(
            "iCloud", "在 account.apple.com 的“登录与安全”里生成", "make one at account.apple.com, Sign-In and Security"
        ),
        smtp_port=587,
    ),
    _plain(
        "Fastmail",
        "fastmail.com fastmail.fm fastmail.cn fastmail.net messagingengine.com sent.com",
        "imap.fastmail.com",
        "smtp.fastmail.com",
        _app_password_hint(
            "Fastmail",
            "在“Settings → Privacy & Security → App passwords”里生成，范围选 Mail (IMAP/SMTP)",
            "make one in Settings → Privacy & Security → App passwords with access to Mail (IMAP/SMTP)",
        ),
    ),
    _plain(
        "China Mobile 139",
        "139.com",
        "imap.139.com",
        "smtp.139.com",
        Hint(
            zh="在 139 邮箱“设置 → 账号与安全 → 邮箱协议设置”里开启 IMAP/SMTP，用授权码登录。",
            en="In 139 Mail, Settings → Account & security → protocols, switch on IMAP/SMTP and log in with the "
            "authorisation code (授权码).",
        ),
        quirks=Quirks(idle=False),
    ),
    _plain(
        "China Telecom 189",
        "189.cn",
        "imap.189.cn",
        "smtp.189.cn",
        Hint(
            zh="在 189 邮箱设置里开启 IMAP/SMTP，并生成客户端专用密码登录。",
            en="In 189 Mail's settings, switch on IMAP/SMTP and make a client password to log in with.",
        ),
        quirks=Quirks(idle=False),
    ),
    _sina("sina.com"),
    _sina("sina.cn"),
    _sina("vip.sina.com"),
    _plain(
        "Sohu Mail",
        "sohu.com",
        "imap.sohu.com",
        "smtp.sohu.com",
        Hint(
            zh="在搜狐邮箱“选项 → POP3/SMTP/IMAP”里开启 IMAP，用独立密码登录。",
            en="In Sohu Mail, Options → POP3/SMTP/IMAP, switch on IMAP and log in with the separate client password "
            "(独立密码).",
        ),
        quirks=Quirks(idle=False),
    ),
    _plain(
        "Yahoo Mail",
        "yahoo.com yahoo.co.uk yahoo.co.jp yahoo.com.hk yahoo.com.tw yahoo.com.sg yahoo.de yahoo.fr yahoo.it yahoo.es "
        "yahoo.ca yahoo.co.in ymail.com rocketmail.com myyahoo.com",
        "imap.mail.yahoo.com",
        "smtp.mail.yahoo.com",
        _app_password_hint(
            "Yahoo", "在“账户安全 → 生成应用密码”里生成", "make one in Account security → Generate app password"
        ),
    ),
    _plain(
        "AOL Mail",
        "aol.com aim.com",
        "imap.aol.com",
        "smtp.aol.com",
        _app_password_hint("AOL", "在“Account security”里生成", "make one in Account security"),
    ),
    _plain(
        "Zoho Mail",
        "zoho.com zohomail.com",
        "imap.zoho.com",
        "smtp.zoho.com",
        _ZOHO_HINT,
        other_hosts="imappro.zoho.com smtppro.zoho.com",
    ),
    _plain(
        "Zoho Mail EU",
        "zoho.eu zohomail.eu",
        "imap.zoho.eu",
        "smtp.zoho.eu",
        _ZOHO_HINT,
        other_hosts="imappro.zoho.eu smtppro.zoho.eu",
    ),
    _plain("Zoho Mail CN", "zoho.com.cn", "imap.zoho.com.cn", "smtp.zoho.com.cn", _ZOHO_HINT),
    _plain(
        "Feishu Mail",
        "feishu.cn",
        "imap.feishu.cn",
        "smtp.feishu.cn",
        Hint(
            zh="在飞书邮箱“设置 → 第三方邮箱客户端登录”里开启 IMAP/SMTP，用生成的专用密码登录。",
            en="In Feishu Mail, Settings → Third-party mail clients, switch on IMAP/SMTP and log in with the password "
            "made there.",
        ),
        other_hosts="imap.larksuite.com smtp.larksuite.com",
    ),
    _plain(
        "GMX",
        "gmx.com gmx.us",
        "imap.gmx.com",
        "mail.gmx.com",
        Hint(zh="先在 GMX 邮箱设置里允许 POP3/IMAP。", en="Allow POP3 and IMAP in the GMX mail settings first."),
        smtp_port=587,
    ),
    _plain(
        "GMX.net",
        "gmx.net gmx.de gmx.at gmx.ch",
        "imap.gmx.net",
        "mail.gmx.net",
        Hint(zh="先在 GMX 邮箱设置里允许 POP3/IMAP。", en="Allow POP3 and IMAP in the GMX mail settings first."),
        smtp_port=587,
    ),
    _plain(
        "WEB.DE",
        "web.de",
        "imap.web.de",
        "smtp.web.de",
        Hint(zh="先在 WEB.DE 邮箱设置里允许 POP3/IMAP。", en="Allow POP3 and IMAP in the WEB.DE mail settings first."),
        smtp_port=587,
    ),
    _plain(
        "Yandex Mail",
        "yandex.com yandex.ru ya.ru",
        "imap.yandex.com",
        "smtp.yandex.com",
        _app_password_hint("Yandex", "在 id.yandex.com 的“安全”里生成", "make one at id.yandex.com, Security"),
        other_hosts="imap.yandex.ru smtp.yandex.ru",
    ),
    _plain(
        "Mail.ru",
        "mail.ru inbox.ru list.ru bk.ru",
        "imap.mail.ru",
        "smtp.mail.ru",
        _app_password_hint("Mail.ru", "在“安全”里生成", "make one in Security → external applications"),
    ),
    _plain(
        "Naver",
        "naver.com",
        "imap.naver.com",
        "smtp.naver.com",
        Hint(
            zh="先在 Naver 邮箱设置里开启 IMAP/SMTP；开了两步验证要用应用密码。",
            en="Switch on IMAP/SMTP in Naver's mail settings; with two-step verification use an app password.",
        ),
    ),
    Provider(
        name="Proton Mail Bridge",
        domains=frozenset({"proton.me", "protonmail.com", "pm.me"}),
        imap=Endpoint("127.0.0.1", 1143, STARTTLS),
        smtp=Endpoint("127.0.0.1", 1025, STARTTLS),
        auth=PASSWORD,
        hint=Hint(
            zh="Proton 没有公开的 IMAP：在本机运行 Proton Mail Bridge，用它给出的密码登录，并把它的证书设为 ca_file。",
            en="Proton has no public IMAP: run Proton Mail Bridge on this machine, log in with the password it shows and "
            "set ca_file to its certificate.",
        ),
    ),
)

_BY_DOMAIN = {domain: provider for provider in PROVIDERS for domain in provider.domains}
_BY_HOST = {
    host: provider
    for provider in PROVIDERS
    for host in {provider.imap.host, provider.smtp.host, *provider.other_hosts}
    if not host.startswith("127.")  # a bridge on this machine says nothing about who else listens here
}


def provider_for(address: str) -> Provider | None:
    """The provider where `address` lives, by its domain or a parent of it (`a.onmicrosoft.com`). None: not a known one;
    an agency's own domain may still be at one of them, see `provider_at`."""
    domain = address.rpartition("@")[2].strip().rstrip(".").lower()
    while domain:
        provider = _BY_DOMAIN.get(domain)
        if provider is not None:
            return provider
        domain = domain.partition(".")[2]
    return None


def provider_at(host: str) -> Provider | None:
    """The provider that a server's `host` belongs to, whatever domain the addresses there have."""
    return _BY_HOST.get(host.strip().rstrip(".").lower())
