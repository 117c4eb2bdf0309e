"""Names of Suzhou's districts, departments and ticket categories, the most frequent first.

The numbers of departments (10 platforms, 528 government, 116 party and mass, 217 state-owned) and the shares of the
five groups of categories are those of the report "苏州 12345" 2023; which department leads which is made up.
"""

from __future__ import annotations

Shares = tuple[tuple[str, float], ...]
"""Names and their weights, of any total."""

CITY_NAME = "苏州市"

DISTRICTS: Shares = (
    ("昆山市", 0.17),
    ("工业园区", 0.14),
    ("吴江区", 0.12),
    ("吴中区", 0.11),
    ("常熟市", 0.10),
    ("张家港市", 0.10),
    ("姑苏区", 0.08),
    ("高新区", 0.07),
    ("相城区", 0.06),
    ("太仓市", 0.05),
)

_GOVERNMENT = (
    "公安局 市场监督管理局 城市管理局 住房和城乡建设局 人力资源和社会保障局 交通运输局 卫生健康委员会 教育局 "
    "社会保险基金管理中心 住房公积金管理中心 生态环境局 自然资源和规划局 税务局 水务局 农业农村局 医疗保障局 "
    "民政局 文化广电和旅游局 应急管理局 消防救援大队 公安局交警大队 行政审批局 司法局 发展和改革委员会 "
    "工业和信息化局 商务局 科学技术局 财政局 体育局 退役军人事务局 园林和绿化管理局 房产管理服务中心 "
    "信访局 统计局 审计局 大数据管理局 地方金融监督管理局 国有资产监督管理办公室 气象局 烟草专卖局 "
    "档案馆 公共资源交易中心 疾病预防控制中心 急救中心 港航事业发展中心 公路事业发展中心 外事办公室 邮政管理局"
)
_COMPANIES = (
    "供电公司 自来水有限公司 燃气集团有限公司 公共交通有限公司 排水有限公司 停车管理有限公司 热力有限公司 "
    "城市建设投资有限公司 环境卫生服务有限公司 邮政分公司 电信分公司 移动分公司 联通分公司 广电网络分公司 "
    "水利投资有限公司 文化旅游发展有限公司 粮食储备有限公司 保障房建设有限公司 公共自行车有限公司"
)
_PARTY = (
    "总工会 残疾人联合会 妇女联合会 共青团委员会 红十字会 科学技术协会 归国华侨联合会 工商业联合会 "
    "文学艺术界联合会 关心下一代工作委员会"
)
_OF_CITY_ALONE = (
    "轨道交通集团有限公司 高速公路管理有限公司 机场快线有限公司 港口集团有限公司 农业发展集团有限公司 "
    "产业投资集团有限公司 人才发展集团有限公司 市民卡有限公司 "
    "委宣传部 委统战部 委政法委员会 委机构编制委员会办公室 台湾同胞联谊会 计划生育协会"
)
_PLATFORM = "12345平台"


def departments() -> tuple[tuple[str, str], ...]:
    """Name every department (承办单位) and its district, "" for the city's own; the busiest first."""
    places = [*(name for name, _ in DISTRICTS), ""]
    kinds = f"{_GOVERNMENT} {_COMPANIES} {_PARTY}".split()
    everywhere = [(kind, place) for kind in kinds for place in places]
    somewhere = [*((kind, "") for kind in _OF_CITY_ALONE.split()), *((_PLATFORM, name) for name, _ in DISTRICTS)]
    return tuple(((place or CITY_NAME) + kind, place) for kind, place in (*everywhere, *somewhere))


_TOPICS: dict[tuple[str, float], str] = {
    ("民生保障", 0.438): (
        "社会保险 医疗保险 公积金 劳动报酬 物业管理 房屋质量 房产交易 噪声扰民 供水 供电 "
        "供气 养老服务 义务教育 校外培训 医疗服务 疫苗接种 住房保障 社会救助 残疾人服务 殡葬服务"
    ),
    ("交通出行", 0.236): (
        "挪车 违章停车 公交线路 交通信号 道路拥堵 出租车服务 网约车 轨道交通 驾驶证 车辆年检 "
        "停车收费 道路破损 路灯 共享单车 电动自行车 高速公路 货车限行 客运服务 航道 交通事故"
    ),
    ("公共服务", 0.123): (
        "户籍办理 出入境 身份证 居住证 婚姻登记 市民卡 快递 通信服务 旅游景区 图书馆 "
        "体育场馆 公园绿化 垃圾分类 环境卫生 井盖 公共厕所 广场舞 天气 宠物管理 志愿服务"
    ),
    ("党务政务", 0.113): (
        "政策咨询 办事流程 窗口服务 执法争议 作风效能 信息公开 信访事项 村务公开 拆迁安置 违法建设 "
        "土地承包 人才落户 人才补贴 公务员招录 党员关系 退役军人 法律援助 公证 统计调查 档案查询"
    ),
    ("经济综合", 0.101): (
        "消费维权 食品安全 价格投诉 预付卡 网络购物 税收发票 营业执照 企业补贴 招商引资 惠企政策 "
        "产品质量 广告宣传 知识产权 金融服务 药品监管 建筑市场 招标投标 安全生产 大气污染 水污染"
    ),
}


def categories() -> Shares:
    """Name a hundred categories (诉求类型) "group/topic": groups weighted as published, topics by Zipf's law."""
    return tuple(
        (f"{group}/{topic}", share / rank)
        for (group, share), topics in _TOPICS.items()
        for rank, topic in enumerate(topics.split(), 1)
    )
