"""Language of a text: simplified or traditional Chinese, English, or both in one text."""

from __future__ import annotations

import re

from parsers.tables import words

LONGEST_READ = 2_500
"""Characters looked at; a language does not change after that, and the time stays bounded."""

_MOSTLY_CHINESE = 0.65
"""Share of Chinese words from which English sentences beside them do not count."""
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+")
_KANA_OR_HANGUL = re.compile(r"[\u3041-\u30ff\uac00-\ud7af\u1100-\u11ff]+")
_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ][A-Za-zÀ-ÖØ-öø-ÿ'’-]*")
_NOISE = re.compile(r"https?://[!-~]+|www\.[!-~]+|[!-?A-~]{1,64}@[!-~]{1,255}|&[a-z]{2,6};", re.IGNORECASE)

# Characters that occur in one script only, among the most frequent of business mail.
_SIMPLIFIED = frozenset(
    "们这为来时个国说对开关会发门问间现动实样经过还进远运达边让认识讲话语请谢译调谈该课设许证评词试诉诚详误读谁记订计讨论议访护报担择损换据扩执项须顿预领频题颜额风飞饭饮馆"
    "马验骤鱼鸟麦黄齐龙龟见观规视览觉角贝负财责败货质购贸费贵买卖资赞赏赛车转轮软轻载较输辑钟钱铁铺销锁错键镇长闭闻阅阳阴阵际陆陈险随隐难应张强归录彻径总恳悬惊惯态怀忆爱恋"
    "战戏户扫扬抢拟拥拨挂挤挥捞无旧显晓暂术机杀杂权条极构标栏树检楼档桥业东丝两严丧丰临举义乌乐习书乡亏云亚产亩亲亿仅从仓仪价众优伙传伤伦伪体余侧侨债倾偿储儿兑兰兴养兽内冈册"
    "写军农冲决况冻净减凤处凭划则刚创删别剂剑剧劝办务动励劳势勋区医华协单卫却厂厅历厉压县参双变叙叠号叹吓吗启员听呜响哑唤啰啸嘱团园围图圆圣场坏块坚坛坝坟坠垒声壳备复够头夹夺奋奖"
    "妆妇妈姗娱婴孙学宁宝实审宽宾对寻导寿将尔尘尝层届属岁岂岗岛币师帐帘带帮干广庄庆库庐应庙废开异弃张弥弯弹当录忧怜恶恼悦惧惩愤愿懒戗战扑托执抚抛护拣拦挡据"
)
_TRADITIONAL = frozenset(
    "們這為來時個國說對開關會發門問間現動實樣經過還進遠運達邊讓認識講話語請謝譯調談該課設許證評詞試訴誠詳誤讀誰記訂計討論議訪護報擔擇損換據擴執項須頓預領頻題顏額風飛飯飲館"
    "馬驗驟魚鳥麥黃齊龍龜見觀規視覽覺貝負財責敗貨質購貿費貴買賣資讚賞賽車轉輪軟輕載較輸輯鐘錢鐵鋪銷鎖錯鍵鎮長閉聞閱陽陰陣際陸陳險隨隱難應張強歸錄徹徑總懇懸驚慣態懷憶愛戀"
    "戰戲戶掃揚搶擬擁撥掛擠揮撈無舊顯曉暫術機殺雜權條極構標欄樹檢樓檔橋業東絲兩嚴喪豐臨舉義烏樂習書鄉虧雲亞產畝親億僅從倉儀價眾優夥傳傷倫偽體餘側僑債傾償儲兒兌蘭興養獸內岡冊"
    "寫軍農衝決況凍淨減鳳處憑劃則剛創刪別劑劍劇勸辦務勵勞勢勳區醫華協單衛卻廠廳歷厲壓縣參雙變敘疊號嘆嚇嗎啟員聽嗚響啞喚囉嘯囑團園圍圖圓聖場壞塊堅壇壩墳墜壘聲殼備復夠頭夾奪奮獎"
    "妝婦媽嬰孫學寧寶審寬賓尋導壽將爾塵嘗層屆屬歲豈崗島幣師帳簾帶幫廣莊慶庫廬廟廢異棄彌彎彈當錄憂憐惡惱悅懼懲憤願懶撲託撫拋揀攔擋"
)


def read_language(text: str) -> str:
    """Returns "zh-Hans", "zh-Hant", "en", "mixed" or "unknown" (no words, or a language that is neither).

    Mixed is a text in which both carry meaning: English product words within Chinese sentences (brief, KV, deadline) do
    not make a text mixed, nor does a Chinese name within English.
    """
    sample = text[:LONGEST_READ]
    if "@" in sample or "&" in sample or "://" in sample or "www." in sample:
        sample = _NOISE.sub(" ", sample)
    if sample.isascii():
        return "en" if _is_english(_WORD.findall(sample.lower())) else "unknown"
    found = _WORD.findall(sample)
    han = "".join(_HAN.findall(sample))
    if _KANA_OR_HANGUL.search(sample):
        other = len("".join(_KANA_OR_HANGUL.findall(sample)))
        if other * 4 > len(han) + len(found):
            return "unknown"
    if not han:
        return "en" if _is_english([word.lower() for word in found]) else "unknown"
    # A Chinese word is about two characters long.
    chinese_words = len(han) / 2
    long_words = [word for word in found if len(word) > 1]
    share = chinese_words / (chinese_words + len(long_words))
    if share < 0.15:
        return "en"
    sentences = sum(word.lower() in _ENGLISH for word in long_words)
    if share < _MOSTLY_CHINESE and sentences >= 3 and len(long_words) >= 10 and chinese_words >= 5:
        return "mixed"
    if share < 0.3:
        return "mixed" if chinese_words >= 4 else "en"
    return _script(han)


def _script(han: str) -> str:
    """By the number of different characters that only one script has."""
    telling = set("".join(_OF_ONE_SCRIPT.findall(han)))
    simplified = len(_ONLY_SIMPLIFIED & telling)
    traditional = len(telling) - simplified
    return "zh-Hant" if traditional > simplified else "zh-Hans"


_ONLY_SIMPLIFIED = _SIMPLIFIED - _TRADITIONAL
_ONLY_TRADITIONAL = _TRADITIONAL - _SIMPLIFIED
_OF_ONE_SCRIPT = re.compile("[" + "".join(sorted(_ONLY_SIMPLIFIED | _ONLY_TRADITIONAL)) + "]+")
_FOREIGN = frozenset(
    words(
        "der die das und ist nicht ich wir sie mit für auf le la les des est une vous nous pour dans et el los las una que por para con del y "
        "het een niet van voor och att det som på jeg ikke er il di che per non sono o os uma não em um w nie się jest na do"
    )
)
_ENGLISH = frozenset(
    words(
        "the and to of a in is you for on we i it that this with please be are have as will at your our can not thanks thank ok yes no hi hello dear from"
    )
)


def _is_english(lower: list[str]) -> bool:
    if not lower:
        return False
    lower = lower[:150]
    english = sum(map(_ENGLISH.__contains__, lower))
    foreign = sum(map(_FOREIGN.__contains__, lower))
    accented = len(lower) - sum(map(str.isascii, lower))
    return foreign + accented <= english or (foreign + accented) * 12 < len(lower)
